using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A denoiser that can run together with another one in a single call of the network they share. Guidance asks for it, so that its two
/// predictions cost one call on a doubled batch. Implement it where a condition of your own (a text, an image) is bound to a denoiser.
/// </summary>
public interface IBatchedDenoiser : IDenoiser
{
    /// <summary>Whether <see cref="PredictWith"/> accepts the other denoiser: whether both run the same network in the same way.</summary>
    /// <param name="other">Another denoiser.</param>
    /// <returns><see langword="true"/> if one call serves both.</returns>
    bool CanPredictWith(IDenoiser other);

    /// <summary>Both predictions for the same noisy image, in one call of the network.</summary>
    /// <param name="other">A denoiser for which <see cref="CanPredictWith"/> is true.</param>
    /// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
    /// <param name="level">The level of every image of the batch.</param>
    /// <returns>This denoiser's prediction and that of <paramref name="other"/>, their tensors for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The denoisers do not run the same network.</exception>
    (Prediction Own, Prediction Other) PredictWith(IDenoiser other, Tensor noisy, NoiseLevel level);
}
