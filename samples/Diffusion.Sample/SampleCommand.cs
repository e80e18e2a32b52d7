using System.CommandLine;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Draws images with a trained network.</summary>
internal static class SampleCommand
{
    private static readonly Option<bool> s_raw = new("--raw") { Description = "Also write samples.safetensors with the tensor 'images', [N, C, H, W] in [-1, 1]." };

    private static readonly Option<int?> s_strips = NumberOption.Optional<int>("--strips", "Also write denoising.png: so many of the first images as they emerge from noise, each above what the network takes it for.");

    public static Command Create() => DrawingOptions.Command("sample", "Draw images with a trained network.", Run, s_raw, s_strips);

    private static void Run(ParseResult arguments, CancellationToken cancellation) => Draw(DrawingOptions.Read(arguments), arguments.GetValue(s_raw), arguments.GetValue(s_strips), cancellation);

    /// <summary>Draws, and says where.</summary>
    public static void Draw(DrawingArguments shared, bool raw, int? strips, CancellationToken cancellation)
    {
        using var model = TrainedModel.Load(shared);
        var (options, folder) = (model.Options, new RunFolder(shared.Out));
        if (strips is { } number && (number < 1 || number > Drawing.BatchSize(options)))
        {
            throw new UsageException($"--strips must be in [1, {Drawing.BatchSize(options)}], the images that are drawn at once; it is {number}.");
        }

        if (shared.Label is null && options.NullLabel is not null)
        {
            ClassList.ShowDrawn(options, model.Labels.Labels);
        }

        using var rows = strips is { } some ? new DenoisingStrips(some) : null;
        using var images = Drawing.Draw(model.InTurn, model.CreateSampler(), model.Shape, options, folder, model.Labels.Labels, rows is null ? null : rows.Add, cancellation);
        rows?.Save(folder.Path);
        if (raw)
        {
            Safetensors.Save(folder.RawSamples, [KeyValuePair.Create("images", images)]);
        }

        AnsiConsole.MarkupLineInterpolated($"Drew {options.Sampling.Count} images from {model.File}: {folder.Picture(options.Data.Kind)}, {folder.Animation}{(raw ? ", " + folder.RawSamples : "")}");
    }
}
