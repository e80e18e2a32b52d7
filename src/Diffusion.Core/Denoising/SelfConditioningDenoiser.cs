using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A network that was trained with self-conditioning: it is evaluated twice, first beside zeros, then beside its own estimate x̂₀. It keeps nothing
/// between calls, so every sampler may use it.
/// </summary>
/// <remarks>Analog Bits, arXiv:2208.04202, section 3.2; there the estimate is that of the sampling step before, which saves the first evaluation.</remarks>
public sealed class SelfConditioningDenoiser : IDenoiser
{
    private readonly NetworkDenoiser _denoiser;

    /// <summary>Wraps a network; the caller keeps owning it.</summary>
    /// <param name="denoiser">A network that takes twice the channels, the estimate first.</param>
    public SelfConditioningDenoiser(NetworkDenoiser denoiser)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        _denoiser = denoiser;
    }

    /// <inheritdoc/>
    public INoiseSchedule Schedule => _denoiser.Schedule;

    /// <inheritdoc/>
    public Device Device => _denoiser.Device;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    /// <inheritdoc/>
    public Prediction Predict(Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        using var nothing = zeros_like(noisy);
        var (estimate, variance) = _denoiser.Predict(noisy, level, nothing);
        variance?.Dispose();
        using (estimate)
        {
            return _denoiser.Predict(noisy, level, estimate);
        }
    }
}
