using Diffusion.Configuration;
using Diffusion.Imaging;
using Spectre.Console;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Draws images with a denoiser: a picture of them all, and an animation of the first ones emerging from noise.</summary>
internal static class Drawing
{
    private const int AnimatedImages = 16;
    private const int Frames = 40;
    private const int FrameMilliseconds = 80;
    private const int LastFrameMilliseconds = 2000;

    /// <param name="denoiser">For a batch of images: the number of its first image and how many they are.</param>
    /// <param name="options">How many images, which sampler.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="labels">How many labels the images go through in turn: a column of the picture has one.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <returns>[N, C, H, W] in [−1, 1], on the CPU.</returns>
    public static Tensor Draw(Func<int, int, IDenoiser> denoiser, RunOptions options, RunFolder folder, int labels, CancellationToken cancellation) =>
        Draw(denoiser, options.CreateSampler(), options.Data.Shape, options, folder, labels, null, cancellation);

    /// <inheritdoc cref="Draw(Func{int, int, IDenoiser}, RunOptions, RunFolder, int, CancellationToken)"/>
    /// <param name="sampler">The sampler, in place of that of the options.</param>
    /// <param name="shape">The shape of an image.</param>
    /// <param name="onStep">Called after each step of the first batch; <see langword="null"/> for none.</param>
    public static Tensor Draw(Func<int, int, IDenoiser> denoiser, Sampler sampler, ImageShape shape, RunOptions options, RunFolder folder, int labels, Action<SamplingStep>? onStep, CancellationToken cancellation)
    {
        var batchSize = BatchSize(options);
        var batches = new List<Tensor>();
        using var scope = NewDisposeScope();
        using var animation = new GifWriter(folder.Animation, TimeSpan.FromMilliseconds(FrameMilliseconds));
        AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
        {
            var task = context.AddTask($"Drawing {options.Sampling.Count} images", maxValue: options.Sampling.Count);
            for (var first = 0; first < options.Sampling.Count; first += batchSize)
            {
                var count = Math.Min(batchSize, options.Sampling.Count - first);
                using var noise = NoiseSource.Seeded(options.Sampling.Seed, first);
                var done = first;
                batches.Add(sampler.SampleFrom(
                    denoiser(first, count),
                    shape.Batch(count),
                    noise,
                    new Observer<(int Step, int Steps)>(progress => task.Value = done + ((double)count * progress.Step / progress.Steps)),
                    first == 0
                        ? step =>
                        {
                            AddFrame(animation, step);
                            onStep?.Invoke(step);
                        }
                        : null,
                    cancellation).cpu());
            }
        });

        var images = cat(batches).clamp_(-1, 1);
        animation.Complete();
        ImageGrid.Save(folder.Picture(options.Data.Kind), images, ImageGrid.ColumnsFor(options.Sampling.Count, labels), scale: 2);
        return images.MoveToOuterDisposeScope();
    }

    /// <summary>How many images are drawn at once.</summary>
    public static int BatchSize(RunOptions options) => Math.Min(options.Training.BatchSize, options.Sampling.Count);

    private static void AddFrame(GifWriter animation, SamplingStep step)
    {
        var last = step.Index == step.Count - 1;
        if (!last && step.Index * Frames / step.Count == (step.Index + 1) * Frames / step.Count)
        {
            return;
        }

        using var shown = step.Noisy.narrow(0, 0, Math.Min(AnimatedImages, step.Noisy.shape[0]));
        var frame = ImageGrid.Compose(shown, ImageGrid.ColumnsFor((int)shown.shape[0]), scale: 2);
        animation.Add(frame, TimeSpan.FromMilliseconds(last ? LastFrameMilliseconds : FrameMilliseconds));
    }
}
