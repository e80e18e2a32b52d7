using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A network that was trained with self-conditioning. In a sampling run it sees x̂₀ of the step before, at first zeros. Asked without an estimate it is evaluated twice,
/// beside zeros and then beside its own estimate. It keeps nothing between calls.
/// </summary>
/// <remarks>Analog Bits, arXiv:2208.04202, section 3.2.</remarks>
public sealed class SelfConditioningDenoiser : ISelfConditionedDenoiser
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
        var (estimate, variance) = Predict(noisy, level, null);
        variance?.Dispose();
        using (estimate)
        {
            return Predict(noisy, level, estimate);
        }
    }

    /// <inheritdoc/>
    public Prediction Predict(Tensor noisy, NoiseLevel level, Tensor? estimate)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        if (estimate is not null)
        {
            Guard.SameShape(noisy, estimate);
            return _denoiser.Predict(noisy, level, estimate);
        }

        using var nothing = zeros_like(noisy);
        return _denoiser.Predict(noisy, level, nothing);
    }
}
