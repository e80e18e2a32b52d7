using TorchSharp;

namespace Diffusion;

/// <summary>The slope at the geometric middle of the step, x̂₀ along α and ε̂ along σ. Second order, two evaluations a step; optionally ancestral.</summary>
/// <remarks>
/// DPM-Solver-2, arXiv:2206.00927, algorithm 1, as k-diffusion has it for α = 1: the midpoint rule on x_t = x_s + ∫x̂₀ dα + ∫ε̂ dσ, with the middle in ln(σ/α).
/// Where no noise is left at the end of the step, or no image at its start, the step is of first order.
/// </remarks>
public sealed class Dpm2Sampler : Sampler
{
    private readonly double _eta;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where the steps lie; trailing by default.</param>
    /// <param name="eta">η, at least 0: 0 (default) is deterministic, 1 ancestral.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public Dpm2Sampler(int? steps = null, StepSpacing? spacing = null, double eta = 0)
        : base(steps, spacing) =>
        _eta = eta >= 0 ? eta : throw new ArgumentOutOfRangeException(nameof(eta), eta, "Eta must be at least 0.");

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var from = context.From;
        var image = context.Denoise();
        var (down, added) = StepMath.Ancestral(from, context.To, _eta);
        var next = StepMath.FirstOrder(context.Noisy, image, from, down);
        if (down.Sigma > 0 && from.Alpha > 0)
        {
            var middle = context.Denoiser.Schedule.LevelWithRatio(Math.Sqrt(from.Ratio * down.Ratio));
            var halfway = StepMath.FirstOrder(context.Noisy, image, from, middle);
            var halfwayImage = context.Denoise(halfway, middle);
            var noise = StepMath.NoiseOf(halfway, halfwayImage, middle);
            next = StepMath.Sum((1, context.Noisy), (down.Alpha - from.Alpha, halfwayImage), (down.Sigma - from.Sigma, noise));
        }

        using var deviation = added.ToScalar();
        return new StepResult(added == 0 ? next : next.add_(context.DrawNoise(), alpha: deviation), image);
    }
}
