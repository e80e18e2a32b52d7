using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A past step, for multistep samplers. The tensors belong to the run: not to be changed or disposed.</summary>
/// <param name="Level">The level the step started from.</param>
/// <param name="Noisy">x at that level, [B, C, H, W], corrected if the sampler corrects.</param>
/// <param name="Image">x̂₀ as predicted there, [B, C, H, W].</param>
public sealed record PastStep(NoiseLevel Level, Tensor Noisy, Tensor Image)
{
    /// <summary>ε̂ = (x − α·x̂₀)/σ, the noise that corresponds to <see cref="Image"/>.</summary>
    /// <returns>[B, C, H, W].</returns>
    public Tensor PredictedNoise() => StepMath.NoiseOf(Noisy, Image, Level);
}
