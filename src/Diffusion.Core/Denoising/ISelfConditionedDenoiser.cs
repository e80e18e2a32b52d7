using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A denoiser that can use an earlier estimate of the image. Samplers give it x̂₀ of the step before.</summary>
/// <remarks>Self-conditioning: Analog Bits, arXiv:2208.04202, section 3.2 and algorithm 2.</remarks>
public interface ISelfConditionedDenoiser : IDenoiser
{
    /// <summary>Predicts the clean image, beside an earlier estimate of it.</summary>
    /// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
    /// <param name="level">The level of every image of the batch.</param>
    /// <param name="estimate">An earlier x̂₀, the shape of <paramref name="noisy"/>; <see langword="null"/> where there is none yet.</param>
    /// <returns>The prediction, its tensors for the caller to dispose.</returns>
    Prediction Predict(Tensor noisy, NoiseLevel level, Tensor? estimate);
}
