using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A denoiser whose predicted images are kept within a limit: every sampler then uses the limited x̂₀.</summary>
public sealed class LimitedDenoiser : ISelfConditionedDenoiser
{
    private readonly IDenoiser _inner;
    private readonly ImageLimit _limit;

    /// <summary>Limits a denoiser.</summary>
    /// <param name="inner">The denoiser.</param>
    /// <param name="limit">What is done to its images.</param>
    public LimitedDenoiser(IDenoiser inner, ImageLimit limit)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(limit);
        _inner = inner;
        _limit = limit;
    }

    /// <inheritdoc/>
    public INoiseSchedule Schedule => _inner.Schedule;

    /// <inheritdoc/>
    public Device Device => _inner.Device;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        using var image = _inner.Denoise(noisy, level);
        return _limit.Apply(image);
    }

    /// <inheritdoc/>
    public Prediction Predict(Tensor noisy, NoiseLevel level) => Limited(_inner.Predict(noisy, level));

    /// <inheritdoc/>
    /// <remarks>The estimate is for an inner denoiser that uses one.</remarks>
    public Prediction Predict(Tensor noisy, NoiseLevel level, Tensor? estimate) =>
        Limited(_inner is ISelfConditionedDenoiser inner ? inner.Predict(noisy, level, estimate) : _inner.Predict(noisy, level));

    private Prediction Limited(Prediction prediction)
    {
        using var image = prediction.Image;
        return prediction with { Image = _limit.Apply(image) };
    }
}
