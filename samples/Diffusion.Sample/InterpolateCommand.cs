using System.CommandLine;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Images on the way between images, or between seeds.</summary>
internal static class InterpolateCommand
{
    private const int DefaultRows = 4;

    private static readonly Option<long[]> s_seeds = NumberOption.Several<long>("--seeds", "Two seeds, instead of images: the way between their noise.");
    private static readonly Option<int> s_points = NumberOption.WithDefault("--points", 8, "Images in a strip, both ends included.");

    public static Command Create() => DrawingOptions.Command(
        "interpolate", "Images on the way between two --input images, --count pairs of the data set, or the images of two --seeds: interpolate.png has a strip a row.",
        Run, InputImages.Files, InputImages.Data, ImageCodecs.Name, s_seeds, s_points);

    private static void Run(ParseResult arguments, CancellationToken cancellation)
    {
        var (shared, points) = (DrawingOptions.Read(arguments), arguments.GetValue(s_points));
        var (seeds, files) = (arguments.GetValue(s_seeds) ?? [], arguments.GetValue(InputImages.Files) ?? []);
        Check(points, seeds, files, shared);
        InputImages.ThrowIfUnused(arguments);
        if (seeds.Length == 0)
        {
            UsageException.IfUnused("nothing is random between images.", arguments, DrawingOptions.Seed);
        }
        else
        {
            UsageException.IfUnused("--seeds needs no images.", arguments, InputImages.Data, ImageCodecs.Name);
        }

        using var model = TrainedModel.Load(shared with { Sampler = shared.Sampler ?? "ddim" });
        InputImages.ThrowIfCodecUnused(arguments, model);
        shared.ThrowIfGuidedWithoutLabel();
        using var scope = NewDisposeScope();
        var rows = shared.Count ?? DefaultRows;
        var strips = seeds.Length == 2
            ? BetweenSeeds(model, seeds, rows, points, cancellation)
            : BetweenImages(model, InputImages.Read(arguments, model, 2 * rows), points, cancellation);
        Picture.Save(shared.Out, "interpolate", strips.cpu(), points, $"{strips.shape[0] / points} strip(s) of {points} images");
    }

    private static void Check(int points, long[] seeds, FileInfo[] files, DrawingArguments shared)
    {
        if (points < 2 || shared.Count < 1)
        {
            throw new UsageException($"--points must be at least 2 and --count at least 1; they are {points} and {shared.Count ?? DefaultRows}.");
        }

        if (seeds.Length is not (0 or 2) || files.Length is not (0 or 2) || seeds.Length + files.Length > 2)
        {
            throw new UsageException($"Interpolation goes between two --seeds or two --input files, or pairs of the data set if there are neither; given are {seeds.Length} seed(s) and {files.Length} file(s).");
        }

        if (seeds.Length == 0)
        {
            ReconstructCommand.ThrowUnlessDdim(shared.Sampler);
        }
    }

    private static Tensor BetweenSeeds(TrainedModel model, long[] seeds, int rows, int points, CancellationToken cancellation)
    {
        var sampler = model.CreateSampler();
        var levels = sampler.Levels(model.Denoiser.Schedule);
        using var from = NoiseSource.Seeded(seeds[0]);
        using var to = NoiseSource.Seeded(seeds[1]);
        using var noise = NoiseSource.Seeded(model.Options.Sampling.Seed); // for samplers that add some
        var shape = model.Shape.Batch(rows);
        var path = LatentInterpolation.Path(from.Draw(shape, model.Denoiser.Device), to.Draw(shape, model.Denoiser.Device), points) * levels[0].Scale;
        return Picture.Draw($"Drawing {rows} strips", levels.Count - 1, progress =>
            sampler.Continue(model.Denoiser, path, noise, 0, progress, cancellationToken: cancellation));
    }

    /// <summary>Between the images at even places and those after them.</summary>
    private static Tensor BetweenImages(TrainedModel model, Tensor images, int points, CancellationToken cancellation)
    {
        var sampling = model.Options.Sampling;
        var pairs = images.view([-1, 2, .. images.shape[1..]]); // [2·N, C, H, W] → [N, 2, C, H, W]
        var steps = model.CreateSampler().Levels(model.Plain.Schedule).Count - 1;
        return Picture.Draw("Images to noise and back", 2 * steps, progress =>
            LatentInterpolation.Images(model.Plain, pairs.select(1, 0), pairs.select(1, 1), points, sampling.Steps, sampling.CreateSpacing(), progress, cancellation));
    }
}
