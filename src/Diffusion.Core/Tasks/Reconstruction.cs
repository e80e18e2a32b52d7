using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Inversion: from images to the noise that deterministic sampling maps to them, and back.</summary>
/// <remarks>
/// Denoising Diffusion Implicit Models, arXiv:2010.02502, section 5.4. Both directions follow the same path only if the denoiser is the same and is not limited: a clipped x̂₀
/// cannot be inverted.
/// </remarks>
public static class Reconstruction
{
    /// <summary>The noise of images, by DDIM in the direction of the noise.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="images">x₀, [B, C, H, W] in [−1, 1]; not changed.</param>
    /// <param name="steps">The number of steps; <see langword="null"/> for all T.</param>
    /// <param name="spacing">Where they lie; trailing by default.</param>
    /// <param name="progress">Receives the state after each step.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>x at the noisiest level of the steps, shape and type of the images, on the denoiser's device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have another shape.</exception>
    public static Tensor Invert(
        IDenoiser denoiser,
        Tensor images,
        int? steps = null,
        StepSpacing? spacing = null,
        IProgress<(int Step, int Steps)>? progress = null,
        CancellationToken cancellationToken = default)
    {
        TaskGuard.Images(images, nameof(images));
        return Run(new DdimInverter(steps, new() { Spacing = spacing }), denoiser, images, progress, cancellationToken);
    }

    /// <summary>The images of noise, by <see cref="DdimSampler"/> with η = 0: the inverse of <see cref="Invert"/>.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="latents">x at the noisiest level of the steps, [B, C, H, W]; not changed.</param>
    /// <param name="steps">The number of steps; <see langword="null"/> for all T.</param>
    /// <param name="spacing">Where they lie; trailing by default.</param>
    /// <param name="progress">Receives the state after each step.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>Images, shape and type of the latents, on the denoiser's device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The latents have another shape.</exception>
    public static Tensor Decode(
        IDenoiser denoiser,
        Tensor latents,
        int? steps = null,
        StepSpacing? spacing = null,
        IProgress<(int Step, int Steps)>? progress = null,
        CancellationToken cancellationToken = default)
    {
        TaskGuard.Images(latents, nameof(latents));
        return Run(new DdimSampler(steps, new() { Spacing = spacing }), denoiser, latents, progress, cancellationToken);
    }

    /// <summary>Inverts images and samples from the result. The difference to the images shows what the network cannot represent, and the error of the steps, which falls with their number.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="images">x₀, [B, C, H, W] in [−1, 1]; not changed.</param>
    /// <param name="steps">The number of steps of each direction; <see langword="null"/> for all T.</param>
    /// <param name="spacing">Where they lie; trailing by default.</param>
    /// <param name="progress">Receives the state after each step of both directions.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>The reconstructed images, shape and type of the images, on the denoiser's device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have another shape.</exception>
    public static Tensor Sample(
        IDenoiser denoiser,
        Tensor images,
        int? steps = null,
        StepSpacing? spacing = null,
        IProgress<(int Step, int Steps)>? progress = null,
        CancellationToken cancellationToken = default)
    {
        using var latents = Invert(denoiser, images, steps, spacing, progress, cancellationToken);
        return Decode(denoiser, latents, steps, spacing, progress, cancellationToken);
    }

    private static Tensor Run(Sampler sampler, IDenoiser denoiser, Tensor start, IProgress<(int Step, int Steps)>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        using var scope = NewDisposeScope();
        using var unused = new SeededNoise(0); // neither way draws any
        return sampler.Continue(denoiser, start.to(denoiser.Device), unused, 0, progress, null, cancellationToken).MoveToOuterDisposeScope();
    }
}
