using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// The one contract between training and sampling: given a noisy image and its level, the expected clean image x̂₀.
/// Samplers know nothing else; guidance, clipping and labels are denoisers around a denoiser.
/// </summary>
public interface IDenoiser
{
    /// <summary>The schedule whose levels the denoiser understands.</summary>
    INoiseSchedule Schedule { get; }

    /// <summary>Where the denoiser computes; noise is made there.</summary>
    Device Device => CPU;

    /// <summary>Predicts the clean image.</summary>
    /// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
    /// <param name="level">The level of every image of the batch.</param>
    /// <returns>x̂₀, the shape of <paramref name="noisy"/>, for the caller to dispose.</returns>
    Tensor Denoise(Tensor noisy, NoiseLevel level);

    /// <summary>
    /// Predicts the clean image and, if the network was trained to, the variance of the reverse step, which only ancestral sampling and the likelihood read.
    /// By default there is no variance. A denoiser around another one passes it on.
    /// </summary>
    /// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
    /// <param name="level">The level of every image of the batch.</param>
    /// <returns>The prediction, its tensors for the caller to dispose.</returns>
    Prediction Predict(Tensor noisy, NoiseLevel level) => new(Denoise(noisy, level));
}
