using System.CommandLine;
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
        try
        {
            using var evaluation = EvaluationRun.Open(arguments);
            var report = evaluation.Measure(cancellation);
            report.Write(arguments.Out);
            Console.WriteLine(report);
            AnsiConsole.MarkupLineInterpolated($"Wrote {arguments.Out}");
        }
        catch (OperationCanceledException)
        {
            var kept = arguments.Keep is { } folder && Directory.Exists(folder) ? $" once {folder}, where the images lie that were drawn, is removed" : "";
            Console.Error.WriteLine($"Stopped before anything was measured. The same command begins again{kept}.");
            throw;
        }
    }
}
