using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Diffusion.Benchmarks;

/// <summary><c>suites [NAME…] [--results FOLDER] [--quick]</c>: the suites of BenchmarkDotNet, all or those named; with a folder, a report of each is written there.</summary>
internal static class SuitesCommand
{
    /// <summary>All suites.</summary>
    public static IReadOnlyList<Type> All { get; } =
        [.. typeof(SuitesCommand).Assembly.GetTypes().Where(type => !type.IsAbstract && type.GetMethods().Any(method => method.GetCustomAttribute<BenchmarkAttribute>() is not null)).OrderBy(type => type.Name, StringComparer.Ordinal)];

    public static int Run(Arguments arguments)
    {
        var (folder, quick) = (arguments.Text("--results"), arguments.Flag("--quick"));
        var names = arguments.Rest();
        if (names.FirstOrDefault(name => All.All(suite => suite.Name != name)) is { } unknown)
        {
            throw new FormatException($"There is no suite {unknown}; there are {string.Join(", ", All.Select(suite => suite.Name))}.");
        }

        SuiteParameters.Quick = quick;
        using var artifacts = new TemporaryFolder();
        var failed = 0;
        foreach (var suite in All.Where(suite => names.Count == 0 || names.Contains(suite.Name)))
        {
            var summary = BenchmarkRunner.Run(suite, Configuration(quick, artifacts.File("artifacts")));
            var right = !summary.HasCriticalValidationErrors && summary.Reports.Length > 0 && summary.Reports.All(report => report.Success);
            failed += right ? 0 : 1;
            Console.WriteLine(right ? $"{suite.Name}: {summary.Reports.Length} cases" : $"{suite.Name}: FAILED\n{Problems(summary)}");
            if (folder is not null && right)
            {
                Directory.CreateDirectory(folder);
                File.WriteAllText(Path.Combine(folder, SuiteReport.FileOf(suite)), SuiteReport.Of(suite, summary));
            }
        }

        foreach (var skipped in SuiteParameters.Skipped)
        {
            Console.WriteLine(skipped);
        }

        return failed == 0 ? 0 : 1;
    }

    /// <summary>In this process: a project that BenchmarkDotNet makes itself would lack libtorch, half a gigabyte that only an application brings.</summary>
    private static ManualConfig Configuration(bool quick, string artifacts)
    {
        var job = (quick ? Job.Dry : Job.ShortRun).WithToolchain(InProcessEmitToolchain.Instance);
        return ManualConfig.CreateEmpty().AddJob(job).AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(quick ? NullLogger.Instance : ConsoleLogger.Default).WithArtifactsPath(artifacts).WithOptions(ConfigOptions.DisableLogFile);
    }

    private static string Problems(Summary summary) => string.Join('\n', summary.ValidationErrors.Select(error => error.Message)
        .Concat(summary.Reports.Where(report => !report.Success).SelectMany(report => report.ExecuteResults.SelectMany(result => result.Errors).Prepend(report.BenchmarkCase.DisplayInfo))));
}
