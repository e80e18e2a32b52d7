using System.CommandLine;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Paints parts of images anew.</summary>
internal static class InpaintCommand
{
    private const int DefaultCount = 8;
    private const int MostDefaultJump = 10;

    private static readonly Option<FileInfo> s_mask = new("--mask") { Description = "An image file, cut and resized as the images are: white is kept, black is painted." };
    private static readonly Option<string> s_hole = new("--hole") { Description = $"What is painted, instead of a file: {string.Join(", ", Hole.Names)} (default)." };
    private static readonly Option<int?> s_jumpLength = NumberOption.Optional<int>("--jump-length", "How many levels a jump back goes up; a tenth of the steps by default, at most 10.");
    private static readonly Option<int> s_resamples = NumberOption.WithDefault("--resamples", 3, "How many times each part of the way is done; 1 for no jumps.");

    public static Command Create()
    {
        s_hole.AcceptOnlyFromAmong(Hole.Names);
        return DrawingOptions.Command(
            "inpaint", "Paint parts of images anew: inpaint.png has originals, what is kept of them, and results.", Run, InputImages.Files, InputImages.Data, ImageCodecs.Name, s_mask, s_hole, s_jumpLength, s_resamples);
    }

    private static void Run(ParseResult arguments, CancellationToken cancellation)
    {
        InputImages.ThrowIfUnused(arguments);
        var shared = DrawingOptions.Read(arguments);
        if (arguments.GetValue(s_mask) is not null && arguments.GetValue(s_hole) is not null)
        {
            throw new UsageException("--mask and --hole exclude each other.");
        }

        if (arguments.GetValue(s_resamples) == 1)
        {
            UsageException.IfUnused("with --resamples 1 there are no jumps.", arguments, s_jumpLength);
        }

        using var model = TrainedModel.Load(shared);
        InputImages.ThrowIfCodecUnused(arguments, model, decoded: arguments.GetValue(s_mask) is not null);
        shared.ThrowIfGuidedWithoutLabel();
        using var scope = NewDisposeScope();
        var images = InputImages.Read(arguments, model, shared.Count ?? DefaultCount);
        var data = InputImages.Options(arguments, model);
        var mask = arguments.GetValue(s_mask) is { } file ? Hole.Load(file.FullName, model.Shape, data.Fit, ImageCodecs.Of(data)) : Hole.Of(arguments.GetValue(s_hole) ?? "center", model.Shape);
        var inner = model.CreateSampler();
        var schedule = model.Denoiser.Schedule;
        var jumpLength = arguments.GetValue(s_jumpLength) ?? Math.Clamp((inner.Levels(schedule).Count - 1) / 10, 1, MostDefaultJump);
        var sampler = UsageException.Unless(() => new InpaintingSampler(inner, images, mask, jumpLength, arguments.GetValue(s_resamples)));
        var steps = UsageException.Unless(() => sampler.Levels(schedule).Count - 1);
        var result = Picture.Draw($"Painting in {images.shape[0]} images", steps, progress =>
            sampler.Sample(model.Denoiser, images.shape, model.Options.Sampling.Seed, progress, cancellationToken: cancellation));
        Picture.Save(shared.Out, "inpaint", cat([images, images * mask, result.cpu()]), (int)images.shape[0], $"originals, what is kept (the rest grey), results; {steps} steps with the jumps");
    }
}
