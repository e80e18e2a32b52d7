using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Writes a run that was trained here as a model's folder, with nothing in it of the machine that it is from.</summary>
internal static class ModelHandOver
{
    private const string Manifest = "manifest.json";

    /// <summary>Whether convert is to write a model's folder: nobody's names, and no name of a file.</summary>
    public static bool IsAskedFor(string to, string? dialect, bool reverse) => !reverse && dialect is null && !PipelineHandOver.IsNameOfFile(to);

    /// <param name="from">A run's folder, whose averaged weights are taken, a checkpoint's folder, a model's folder or a file of weights with the run's configuration.</param>
    /// <param name="to">The folder to make.</param>
    /// <param name="type">The type of the numbers; <see langword="null"/> for the one that they have.</param>
    public static void Run(string from, string to, ScalarType? type)
    {
        DiffusionRuntime.EnsureLoaded();
        PipelineHandOver.ThrowUnlessRun(from);
        var trained = TrainedWeights.Find(from);
        var options = SharedPaths.Of(trained.Options, to);
        using (var network = options.CreateNetwork())
        {
            trained.Fill(network); // or says what does not fit
        }

        using var loaded = Safetensors.Load(trained.File);
        using var scope = NewDisposeScope();
        var weights = WeightTypes.Convert(loaded, type, trained.File);
        RunConfiguration.SaveModel(to, options, weights, ModelCard.Write(to, options, weights, Step(trained.File)));
        AnsiConsole.MarkupLineInterpolated($"Wrote {to}: {Checkpoint.ModelFile} ({new FileInfo(ModelFolder.Weights(to)).Length / 1e6:F1} MB) with the weights of {trained.File}, config.json, and README.md with what is known of it, for you to complete.");
        AnsiConsole.MarkupLineInterpolated($"  The images that it was trained on are those of '{options.Data.Path}' (data.path in config.json, from the folder of the file).");
    }

    /// <summary>The step of the checkpoint that weights are of; <see langword="null"/> for those of a finished run.</summary>
    private static int? Step(string weights) =>
        Path.GetDirectoryName(Path.GetFullPath(weights)) is { } folder && File.Exists(Path.Combine(folder, Manifest)) ? Checkpoint.Open(folder).Step : null;
}
