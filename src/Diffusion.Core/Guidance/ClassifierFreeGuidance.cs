using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Classifier-free guidance: x̂₀ = unconditional + scale·(conditional − unconditional). If both are labels of one network, it is called once,
/// on a batch of twice the size; at scale 1, and outside of the interval, only for the conditional half, at scale 0 only for the other.
/// </summary>
/// <remarks>
/// Classifier-Free Diffusion Guidance, arXiv:2207.12598, Eq. 6, whose weight w is scale − 1. The paper writes it for ε; since ε is x̂₀ times
/// a number plus x_t times a number, it is the same for x̂₀ and for every parameterization. <see cref="GuidanceOptions"/> has the sources of the rest.
/// </remarks>
public sealed class ClassifierFreeGuidance : IDenoiser
{
    private readonly IDenoiser _conditional;
    private readonly IDenoiser _unconditional;

    /// <summary>Guides a denoiser by a scale alone.</summary>
    /// <param name="conditional">The denoiser that knows the labels.</param>
    /// <param name="unconditional">The denoiser that does not, of the same schedule.</param>
    /// <param name="scale">A finite number: 1 for no guidance, above 1 for guidance.</param>
    /// <exception cref="ArgumentException">The scale is not finite, or the schedules differ.</exception>
    public ClassifierFreeGuidance(IDenoiser conditional, IDenoiser unconditional, double scale)
        : this(conditional, unconditional, new GuidanceOptions { Scale = scale })
    {
    }

    /// <summary>Guides a denoiser.</summary>
    /// <param name="conditional">The denoiser that knows the labels.</param>
    /// <param name="unconditional">The denoiser that does not, of the same schedule.</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    /// <exception cref="ArgumentException">The options have mistakes, or the schedules differ.</exception>
    public ClassifierFreeGuidance(IDenoiser conditional, IDenoiser unconditional, GuidanceOptions options)
    {
        ArgumentNullException.ThrowIfNull(conditional);
        ArgumentNullException.ThrowIfNull(unconditional);
        options.ThrowIfInvalid();
        GuidedPrediction.CheckSchedules(conditional, unconditional, nameof(unconditional));
        _conditional = conditional;
        _unconditional = unconditional;
        Options = options;
    }

    /// <summary>How far, where, and what is done against oversaturation.</summary>
    public GuidanceOptions Options { get; }

    /// <inheritdoc/>
    public INoiseSchedule Schedule => _conditional.Schedule;

    /// <inheritdoc/>
    public Device Device => _conditional.Device;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    /// <inheritdoc/>
    /// <remarks>The variance is that of the conditional prediction; at scale 0, where there is none, that of the unconditional one.</remarks>
    public Prediction Predict(Tensor noisy, NoiseLevel level) => GuidedPrediction.Of(_conditional, _unconditional, Options, noisy, level);
}
