using System.CommandLine;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Draws images with a trained network.</summary>
internal static class SampleCommand
{
    private static readonly Option<bool> s_raw = new("--raw") { Description = "Also write samples.safetensors with the tensor 'images', [N, C, H, W] in [-1, 1]." };

    public static Command Create() => DrawingOptions.Command("sample", "Draw images with a trained network.", Run, s_raw);

    private static void Run(ParseResult arguments, CancellationToken cancellation) => Draw(DrawingOptions.Read(arguments), arguments.GetValue(s_raw), cancellation);

    /// <summary>Draws, and says where.</summary>
    public static void Draw(DrawingArguments shared, bool raw, CancellationToken cancellation)
    {
        using var model = TrainedModel.Load(shared);
        var (options, folder) = (model.Options, new RunFolder(shared.Out));
        if (shared.Label is null && options.NullLabel is not null)
        {
            ClassList.ShowDrawn(options, model.Labels.Labels);
        }

        using var images = Drawing.Draw(model.InTurn, model.CreateSampler(), model.Shape, options, folder, model.Labels.Labels, cancellation);
        if (raw)
        {
            Safetensors.Save(folder.RawSamples, [KeyValuePair.Create("images", images)]);
        }

        AnsiConsole.MarkupLineInterpolated($"Drew {options.Sampling.Count} images from {model.File}: {folder.Picture(options.Data.Kind)}, {folder.Animation}{(raw ? ", " + folder.RawSamples : "")}");
    }
}
