namespace Diffusion;

/// <summary>DDIM: deterministic for η = 0, ancestral for η = 1. Good from about 20 steps on.</summary>
/// <remarks>
/// Denoising Diffusion Implicit Models, arXiv:2010.02502, Eq. 12 and 16, in the form that holds between any two levels. The direction to x_t is
/// taken from the image that is used: if it is limited, ε̂ is that of the limited image.
/// </remarks>
public sealed class DdimSampler : Sampler
{
    private readonly double _eta;
    private readonly ImageLimit _limit;
    private readonly bool _limitNoise;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="eta">η, at least 0: how much of the noise is replaced by fresh noise in a step; infinity replaces all of it.</param>
    /// <param name="spacing">Where the steps lie; trailing by default.</param>
    /// <param name="limit">A limit on x̂₀; none by default.</param>
    /// <param name="limitNoise">Whether ε̂ is taken from the limited image (default) or stays as predicted, as the diffusers library has it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public DdimSampler(int? steps = null, double eta = 0, StepSpacing? spacing = null, ImageLimit? limit = null, bool limitNoise = true)
        : base(steps, spacing)
    {
        _eta = eta >= 0 ? eta : throw new ArgumentOutOfRangeException(nameof(eta), eta, "Eta must be at least 0.");
        _limit = limit ?? ImageLimit.None;
        _limitNoise = limitNoise;
    }

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var image = context.Denoise();
        var limited = _limit.Apply(image);
        var noise = StepMath.NoiseOf(context.Noisy, _limitNoise ? limited : image, context.From);
        var (down, added) = StepMath.Ancestral(context.From, context.To, _eta);
        return new StepResult(
            added == 0
                ? StepMath.Sum((down.Alpha, limited), (down.Sigma, noise))
                : StepMath.Sum((down.Alpha, limited), (down.Sigma, noise), (added, context.DrawNoise())),
            limited);
    }
}
