namespace Diffusion;

/// <summary>DDIM: deterministic for η = 0, ancestral for η = 1. Good from about 20 steps on.</summary>
/// <remarks>
/// Denoising Diffusion Implicit Models, arXiv:2010.02502, Eq. 12 and 16, in the form that holds between any two levels. Where x̂₀
/// is limited, ε̂ is that of the limited x̂₀ unless <see cref="DdimOptions.RederiveNoise"/> is false.
/// </remarks>
public sealed class DdimSampler : Sampler
{
    private readonly DdimOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, η and how ε̂ is taken; deterministic by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public DdimSampler(int? steps = null, DdimOptions? options = null)
        : base(steps, options) => _options = options ?? new DdimOptions();

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var prediction = context.Predict();
        var image = prediction.Image;
        var noise = StepMath.NoiseOf(context.Noisy, _options.RederiveNoise ? image : prediction.Unlimited ?? image, context.From);
        var (down, added) = StepMath.Ancestral(context.From, Target(context), _options.Eta);
        return new StepResult(
            added == 0
                ? StepMath.Sum((down.Alpha, image), (down.Sigma, noise))
                : StepMath.Sum((down.Alpha, image), (down.Sigma, noise), (added, context.DrawNoise())),
            image);
    }

    private NoiseLevel Target(StepContext context) => _options.Stride is not { } stride ? context.To
        : context.From.Timestep >= stride ? context.Denoiser.Schedule.LevelAt((int)context.From.Timestep - stride)
        : context.Levels[^1];
}
