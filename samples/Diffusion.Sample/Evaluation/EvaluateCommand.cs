using System.CommandLine;
using Diffusion.Evaluation;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Measures how good images are: those that a network draws, or those of a folder or file.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var command = new Command("evaluate", "Measure how good images are, those that a network draws or given ones: a table and metrics.json.");
        foreach (var option in EvaluateOptions.All)
        {
            command.Add(option);
        }

        command.SetAction(arguments => ExitCode.Of(cancellation => Run(arguments, cancellation)));
        return command;
    }

    private static void Run(ParseResult parsed, CancellationToken cancellation)
    {
        var arguments = EvaluateOptions.Read(parsed);
        OutputFolder.ThrowIfUnusable(Path.GetDirectoryName(arguments.Out)!);
        if (Directory.Exists(arguments.Out))
        {
            throw new UsageException($"--out: '{arguments.Out}', where the figures go, is a folder. Give a file *.json, or another folder.");
        }

        using var evaluation = Open(arguments);
        var report = Measure(arguments, () => evaluation.Measure(cancellation));
        Show(report, report, arguments.Out);
        if (arguments.Likelihood is { } count)
        {
            var (figures, missing) = Likelihood(arguments, () => evaluation.Likelihood(count, cancellation));
            Show(report with { Figures = figures, Remarks = missing, Classes = [] }, report with { Figures = [.. report.Figures, .. figures], Remarks = [.. report.Remarks, .. missing] }, arguments.Out);
        }
    }

    private static EvaluationRun Open(EvaluateArguments arguments) => Measure(arguments, () => EvaluationRun.Open(arguments));

    private static void Show(EvaluationReport news, EvaluationReport all, string file)
    {
        Console.WriteLine(news);
        all.Write(file);
        AnsiConsole.MarkupLineInterpolated($"Wrote {file}");
    }

    private static T Measure<T>(EvaluateArguments arguments, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OperationCanceledException)
        {
            var kept = arguments.Keep is { } folder && Directory.Exists(folder) ? $" once {folder}, where the images lie that were drawn, is removed" : "";
            Console.Error.WriteLine($"Stopped before anything was measured. The same command begins again{kept}.");
            throw;
        }
    }

    private static T Likelihood<T>(EvaluateArguments arguments, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"Stopped before the likelihood was measured; the other figures are in {arguments.Out}.");
            throw;
        }
    }
}
