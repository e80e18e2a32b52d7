using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a sampler's step works with.</summary>
/// <param name="Denoiser">Predicts clean images.</param>
/// <param name="Noisy">x at level <paramref name="From"/>, [B, C, H, W]; not to be changed or disposed.</param>
/// <param name="From">The level of <paramref name="Noisy"/>.</param>
/// <param name="To">The level to go to.</param>
/// <param name="Noise">Gives fresh noise.</param>
public sealed record StepContext(IDenoiser Denoiser, Tensor Noisy, NoiseLevel From, NoiseLevel To, NoiseSource Noise)
{
    /// <summary>x̂₀ at the current level.</summary>
    /// <returns>[B, C, H, W], not clipped.</returns>
    public Tensor Denoise() => Denoiser.Denoise(Noisy, From);

    /// <summary>Fresh standard normal noise.</summary>
    /// <returns>The shape of <see cref="Noisy"/>, on its device.</returns>
    public Tensor DrawNoise() => Noise.Draw(Noisy.shape, Noisy.device);
}
