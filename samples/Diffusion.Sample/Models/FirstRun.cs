using System.CommandLine;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>The app without arguments: draws with the digits' model that comes with it, then trains one of its own.</summary>
internal static class FirstRun
{
    // Four of each digit: as many as take seconds on two slow processors.
    private const int Images = 40;

    private const string Digits = "mnist";

    /// <summary>The folder of the pictures within that of the run.</summary>
    private const string Pictures = "first";

    /// <summary>Where the models lie that come with the app.</summary>
    public static string Models { get; } = Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>Makes it what the command line does without a command.</summary>
    public static void Of(RootCommand commands) => commands.SetAction(_ => ExitCode.Of(Run));

    private static void Run(CancellationToken cancellation)
    {
        var (model, output) = (Path.Combine(Models, Digits), Path.GetFullPath("out"));
        OutputFolder.ThrowIfUnusable(output);
        if (Checkpoint.Newest(new RunFolder(output).Checkpoints) is { } stopped && !File.Exists(new RunFolder(output).Model))
        {
            throw new UsageException($"{output} holds a run that stopped at step {stopped.Step}. 'train --resume' goes on with it; to begin again, remove the folder.");
        }

        AnsiConsole.MarkupLine(Draw(model, Path.Combine(output, Pictures), cancellation)
            ? "Now a small network of your own is trained, for two or three minutes, and draws too."
            : $"There is no model in '{Markup.Escape(model)}': nothing is drawn before training.");
        TrainCommand.RunDefault(cancellation);
    }

    /// <summary>Draws with a model, and says where.</summary>
    /// <returns>Whether there is one.</returns>
    internal static bool Draw(string model, string output, CancellationToken cancellation)
    {
        if (!File.Exists(ModelFolder.Weights(model)))
        {
            return false;
        }

        AnsiConsole.MarkupLineInterpolated($"Drawing first with the model that comes with this program, [bold]samples/models/{Digits}[/], trained beforehand (its README.md says how).");
        try
        {
            SampleCommand.Draw(DrawingArguments.Of(model, output) with { Count = Images }, raw: false, strips: null, cancellation);
            return true;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Stopped before training began. The same command begins again.");
            throw;
        }
    }
}
