using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Guidance by a weaker version of the same denoiser, smaller or trained for less time: x̂₀ = weak + scale·(strong − weak). Needs no labels;
/// where there are labels, both denoisers are given them.
/// </summary>
/// <remarks>Guiding a Diffusion Model with a Bad Version of Itself, arXiv:2406.02507, whose w is the scale.</remarks>
public sealed class AutoGuidance : IDenoiser
{
    private readonly IDenoiser _strong;
    private readonly IDenoiser _weak;

    /// <summary>Guides a denoiser by a scale alone.</summary>
    /// <param name="strong">The denoiser to improve.</param>
    /// <param name="weak">A worse one of the same schedule; it may predict in another parameterization.</param>
    /// <param name="scale">A finite number: 1 for no guidance, above 1 for guidance.</param>
    /// <exception cref="ArgumentException">The scale is not finite, or the schedules differ.</exception>
    public AutoGuidance(IDenoiser strong, IDenoiser weak, double scale)
        : this(strong, weak, new GuidanceOptions { Scale = scale })
    {
    }

    /// <summary>Guides a denoiser.</summary>
    /// <param name="strong">The denoiser to improve.</param>
    /// <param name="weak">A worse one of the same schedule; it may predict in another parameterization.</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    /// <exception cref="ArgumentException">The options have mistakes, or the schedules differ.</exception>
    public AutoGuidance(IDenoiser strong, IDenoiser weak, GuidanceOptions options)
    {
        ArgumentNullException.ThrowIfNull(strong);
        ArgumentNullException.ThrowIfNull(weak);
        options.ThrowIfInvalid();
        GuidedPrediction.CheckSchedules(strong, weak, nameof(weak));
        _strong = strong;
        _weak = weak;
        Options = options;
    }

    /// <summary>How far, where, and what is done against oversaturation.</summary>
    public GuidanceOptions Options { get; }

    /// <inheritdoc/>
    public INoiseSchedule Schedule => _strong.Schedule;

    /// <inheritdoc/>
    public Device Device => _strong.Device;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    /// <inheritdoc/>
    /// <remarks>The variance is that of the strong denoiser; at scale 0, where it is not asked, that of the weak one.</remarks>
    public Prediction Predict(Tensor noisy, NoiseLevel level) => GuidedPrediction.Of(_strong, _weak, Options, noisy, level);
}
