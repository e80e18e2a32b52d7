using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Draws images with a trained network.</summary>
internal static class SampleCommand
{
    public static void Run(DrawingArguments arguments, bool raw, CancellationToken cancellation)
    {
        using var model = TrainedModel.Load(arguments);
        var (options, folder) = (model.Options, new RunFolder(arguments.Out));
        using var images = Drawing.Draw(model.Labels.InTurn, options, folder, model.Labels.Labels, cancellation);
        if (raw)
        {
            Safetensors.Save(folder.RawSamples, [KeyValuePair.Create("images", images)]);
        }

        AnsiConsole.MarkupLineInterpolated($"Drew {options.Sampling.Count} images from {model.File}: {folder.Picture(options.Data.Kind)}, {folder.Animation}{(raw ? ", " + folder.RawSamples : "")}");
    }
}
