using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Image-to-image: noise of a level within a sampler's run is added to images, and the rest of the run is sampled. Works with every sampler.</summary>
/// <remarks>SDEdit, arXiv:2108.01073, algorithm 1; strength as in the diffusers library: the share of the steps that are run.</remarks>
public static class ImageToImage
{
    /// <summary>Changes images, with noise from a seed.</summary>
    /// <param name="sampler">The sampler; its number of steps is that of a whole run.</param>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="images">x₀, [B, C, H, W] in [−1, 1]; not changed.</param>
    /// <param name="strength">The share of the steps that are run, in (0, 1]: a small value keeps most of the image, 1 begins at the noisiest level.</param>
    /// <param name="seed">The noise of image <c>i</c> of the batch depends on the seed and <c>i</c> only.</param>
    /// <param name="progress">Receives the state after each step.</param>
    /// <param name="onStep">Called after each step, on this thread, with x_t and x̂₀; the tensors live until it returns.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>The changed images, shape and type of <paramref name="images"/>, on the denoiser's device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have another shape, or the sampler goes from image to noise.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The strength is outside (0, 1], or so small that no step would be run.</exception>
    public static Tensor Sample(
        Sampler sampler,
        IDenoiser denoiser,
        Tensor images,
        double strength,
        long seed,
        IProgress<(int Step, int Steps)>? progress = null,
        Action<SamplingStep>? onStep = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        using var noise = sampler.CreateNoise(seed);
        return SampleFrom(sampler, denoiser, images, strength, noise, progress, onStep, cancellationToken);
    }

    /// <summary>Changes images, with noise from the given source: its first draw is added to the images, the others are for steps that add noise.</summary>
    /// <inheritdoc cref="Sample" path="/remarks|/returns|/exception"/>
    /// <param name="sampler">The sampler; its number of steps is that of a whole run.</param>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="images">x₀, [B, C, H, W] in [−1, 1]; not changed.</param>
    /// <param name="strength">The share of the steps that are run, in (0, 1].</param>
    /// <param name="noise">Where the noise comes from.</param>
    /// <param name="progress">Receives the state after each step.</param>
    /// <param name="onStep">Called after each step, on this thread, with x_t and x̂₀; the tensors live until it returns.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    public static Tensor SampleFrom(
        Sampler sampler,
        IDenoiser denoiser,
        Tensor images,
        double strength,
        NoiseSource noise,
        IProgress<(int Step, int Steps)>? progress = null,
        Action<SamplingStep>? onStep = null,
        CancellationToken cancellationToken = default)
    {
        TaskGuard.Descends(sampler, nameof(sampler));
        ArgumentNullException.ThrowIfNull(denoiser);
        TaskGuard.Images(images, nameof(images));
        ArgumentNullException.ThrowIfNull(noise);
        var levels = sampler.Levels(denoiser.Schedule);
        var first = FirstStep(levels.Count - 1, strength);
        using var scope = NewDisposeScope();
        var clean = images.to(denoiser.Device);
        var noisy = ForwardProcess.AddNoise(clean, StepMath.Like(clean, noise.Draw(images.shape, denoiser.Device)), [levels[first]]);
        return sampler.Continue(denoiser, noisy, noise, first, progress, onStep, cancellationToken).MoveToOuterDisposeScope();
    }

    /// <summary>The first step of a run with a strength: round((1 − strength)·steps), halves downwards, so that half a step counts as one.</summary>
    /// <param name="steps">The steps of a whole run, at least 1.</param>
    /// <param name="strength">The share of them that is run, in (0, 1].</param>
    /// <returns>In [0, <paramref name="steps"/> − 1].</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range, or the strength is less than half a step.</exception>
    public static int FirstStep(int steps, double strength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (!(strength > 0 && strength <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(strength), strength, "The strength must be in (0, 1]: the share of the steps that are run.");
        }

        var run = (int)Math.Round(strength * steps, MidpointRounding.AwayFromZero);
        return run > 0
            ? steps - run
            : throw new ArgumentOutOfRangeException(
                nameof(strength), strength, FormattableString.Invariant($"With {steps} steps the strength must be at least {0.5 / steps:R}; a smaller one runs no step and changes nothing."));
    }
}
