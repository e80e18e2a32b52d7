using System.Text.RegularExpressions;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;

namespace Diffusion.Benchmarks;

/// <summary>The report of a suite, for <c>benchmarks/results</c>.</summary>
internal static partial class SuiteReport
{
    /// <summary>The file's name.</summary>
    public static string FileOf(Type suite) => Words().Replace(NameOf(suite), "-$1").ToLowerInvariant() + ".md";

    public static string Of(Type suite, Summary summary)
    {
        var table = new AccumulationLogger();
        MarkdownExporter.GitHub.ExportToLog(summary, table);
        return $"""
            # {Words().Replace(NameOf(suite), " $1")}
            `dotnet run -c Release --project benchmarks/Diffusion.Benchmarks -- suites {suite.Name}`, {Machine.Date}. {Machine.Versions}; {TorchSharp.torch.get_num_threads()} threads.
            Eager is the reference network or its arithmetic out of TorchSharp's modules, in float32; Ratio is to it where there is one.{string.Concat(SuiteParameters.Skipped.Select(text => $"\n- {text}"))}

            {table.GetLog().Trim()}

            """;
    }

    private static string NameOf(Type suite) => suite.Name.Replace("Benchmarks", string.Empty, StringComparison.Ordinal);

    [GeneratedRegex("(?<=[a-z])([A-Z])")]
    private static partial Regex Words();
}
