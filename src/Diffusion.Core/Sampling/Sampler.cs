using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Walks a grid of levels from noise to image. The loop is here, once: levels, noise, memory, progress and cancellation;
/// a sampler writes one <see cref="Step"/>. Samplers are immutable and safe to share between threads.
/// </summary>
public abstract class Sampler
{
    /// <summary>Makes images from noise.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="shape">[B, C, H, W] of the images.</param>
    /// <param name="seed">Image <c>i</c> of the batch depends on the seed and <c>i</c> only, not on the batch size (to rounding).</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="onStep">Called after each step, on this thread, with x_t and x̂₀; the tensors live until it returns.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>Float32 images in [−1, 1] (to the accuracy of the network), [B, C, H, W], on the denoiser's device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shape is not four positive numbers.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public Tensor Sample(
        IDenoiser denoiser,
        ReadOnlySpan<long> shape,
        long seed,
        IProgress<SamplingProgress>? progress = null,
        Action<SamplingStep>? onStep = null,
        CancellationToken cancellationToken = default)
    {
        using var noise = new SeededNoise(seed);
        return SampleFrom(denoiser, shape, noise, progress, onStep, cancellationToken);
    }

    /// <summary>Makes images from the noise of the given source: its first draw is the start, the others go to the steps that add noise.</summary>
    /// <inheritdoc cref="Sample(IDenoiser, ReadOnlySpan{long}, long, IProgress{SamplingProgress}?, Action{SamplingStep}?, CancellationToken)"/>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="shape">[B, C, H, W] of the images.</param>
    /// <param name="noise">Where the noise comes from.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="onStep">Called after each step, on this thread, with x_t and x̂₀; the tensors live until it returns.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    public Tensor SampleFrom(
        IDenoiser denoiser,
        ReadOnlySpan<long> shape,
        NoiseSource noise,
        IProgress<SamplingProgress>? progress = null,
        Action<SamplingStep>? onStep = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(noise);
        if (shape.Length != 4 || shape.ContainsAnyInRange(long.MinValue, 0))
        {
            throw new ArgumentException($"The shape must be [images, channels, height, width], all at least 1; it is [{string.Join(", ", shape.ToArray())}].", nameof(shape));
        }

        var levels = Levels(denoiser.Schedule);
        using var noGradients = no_grad();
        using var run = NewDisposeScope();
        var start = levels[0];
        var current = noise.Draw(shape, denoiser.Device);
        current.mul_(Math.Sqrt((start.Alpha * start.Alpha) + (start.Sigma * start.Sigma)));
        for (var i = 0; i < levels.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var to = i + 1 < levels.Count ? levels[i + 1] : NoiseLevel.Clean;
            var (previous, image) = Step(new StepContext(denoiser, current, levels[i], to, noise));
            onStep?.Invoke(new SamplingStep(i, levels.Count, levels[i], to, previous, image));
            current.Dispose();
            current = previous.MoveToOuterDisposeScope();
            progress?.Report(new SamplingProgress(i + 1, levels.Count));
        }

        return current.MoveToOuterDisposeScope();
    }

    /// <summary>The levels to visit, noisiest first; the clean image follows the last of them and is not in the list.</summary>
    /// <param name="schedule">The denoiser's schedule.</param>
    /// <returns>At least one level.</returns>
    protected abstract IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule);

    /// <summary>One step. Runs without gradients and in a dispose scope of its own: temporaries need no care.</summary>
    /// <param name="context">Where the step is and what it works with.</param>
    /// <returns>x at the level <see cref="StepContext.To"/>, and x̂₀ for the callback: tensors made in this step.</returns>
    protected abstract (Tensor Next, Tensor Image) Step(StepContext context);
}
