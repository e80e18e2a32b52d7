namespace Diffusion;

/// <summary>DDIM: deterministic for η = 0, ancestral for η = 1. Good from about 20 steps on.</summary>
/// <remarks>
/// Denoising Diffusion Implicit Models, arXiv:2010.02502, Eq. 12 and 16, in the form that holds between any two levels. The direction to x_t is
/// taken from the image that is used: if it is limited, ε̂ is that of the limited image.
/// </remarks>
public sealed class DdimSampler : Sampler
{
    private readonly double _eta;
    private readonly bool _rederiveNoise;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="eta">η, at least 0: how much of the noise is replaced by fresh noise in a step; infinity replaces all of it.</param>
    /// <param name="spacing">Where the steps lie; trailing by default.</param>
    /// <param name="rederiveNoise">Where x̂₀ is limited: whether ε̂ is that of the limited image (default) or stays as predicted, as in diffusers.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public DdimSampler(int? steps = null, double eta = 0, StepSpacing? spacing = null, bool rederiveNoise = true)
        : base(steps, spacing)
    {
        _eta = eta >= 0 ? eta : throw new ArgumentOutOfRangeException(nameof(eta), eta, "Eta must be at least 0.");
        _rederiveNoise = rederiveNoise;
    }

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var prediction = context.Predict();
        var image = prediction.Image;
        var noise = StepMath.NoiseOf(context.Noisy, _rederiveNoise ? image : prediction.Unlimited ?? image, context.From);
        var (down, added) = StepMath.Ancestral(context.From, context.To, _eta);
        return new StepResult(
            added == 0
                ? StepMath.Sum((down.Alpha, image), (down.Sigma, noise))
                : StepMath.Sum((down.Alpha, image), (down.Sigma, noise), (added, context.DrawNoise())),
            image);
    }
}
