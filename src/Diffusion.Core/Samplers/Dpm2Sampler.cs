using TorchSharp;

namespace Diffusion;

/// <summary>The slope at the geometric middle of the step, x̂₀ along α and ε̂ along σ. Second order, two evaluations a step; optionally with churn or ancestral.</summary>
/// <remarks>
/// DPM-Solver-2, arXiv:2206.00927, algorithm 1, as in k-diffusion for α = 1: the midpoint rule on x_t = x_s + ∫x̂₀ dα + ∫ε̂ dσ, with the middle in ln(σ/α).
/// Where no noise is left at the end of the step, or no image at its start, the step is of first order.
/// </remarks>
public sealed class Dpm2Sampler : Sampler
{
    private readonly EulerOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, η and churn; deterministic by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public Dpm2Sampler(int? steps = null, EulerOptions? options = null)
        : base(steps, options) => _options = options ?? new EulerOptions();

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from) = _options.Churn.Apply(context);
        var image = context.Denoise(noisy, from);
        var (down, added) = StepMath.Ancestral(from, context.To, _options.Eta);
        var next = StepMath.FirstOrder(noisy, image, from, down);
        if (down.Sigma > 0 && from.Alpha > 0)
        {
            var middle = context.Denoiser.Schedule.LevelWithRatio(Math.Sqrt(from.Ratio * down.Ratio));
            var halfway = StepMath.FirstOrder(noisy, image, from, middle);
            var halfwayImage = context.Denoise(halfway, middle);
            var noise = StepMath.NoiseOf(halfway, halfwayImage, middle);
            next = _options.Unscaled
                ? StepMath.AlongNoise(noisy, noise, from, down)
                : StepMath.Sum((1, noisy), (down.Alpha - from.Alpha, halfwayImage), (down.Sigma - from.Sigma, noise));
        }

        using var deviation = (added * _options.NoiseScale).ToScalar();
        return new StepResult(added == 0 ? next : next.add_(context.DrawNoise(), alpha: deviation), image);
    }
}
