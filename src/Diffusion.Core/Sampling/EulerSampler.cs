using TorchSharp;

namespace Diffusion;

/// <summary>Euler's method, with churn or as ancestral sampling. First order: one evaluation a step.</summary>
/// <remarks>
/// Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, algorithm 2 without the correction; ancestral (η = 1) is
/// the split of Denoising Diffusion Implicit Models, arXiv:2010.02502, Eq. 16. Without churn the same numbers as <see cref="DdimSampler"/>: both are exact
/// where x̂₀ does not change over the step.
/// </remarks>
public sealed class EulerSampler : Sampler
{
    private readonly double _eta;
    private readonly double _noiseScale;
    private readonly Churn _churn;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where the steps lie; trailing by default.</param>
    /// <param name="eta">η, at least 0: 0 (default) is deterministic, 1 is "Euler ancestral".</param>
    /// <param name="churn">Noise added before a step; none by default.</param>
    /// <param name="noiseScale">The standard deviation of the fresh noise of η; 1 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public EulerSampler(int? steps = null, StepSpacing? spacing = null, double eta = 0, Churn? churn = null, double noiseScale = 1)
        : base(steps, spacing)
    {
        _eta = eta >= 0 ? eta : throw new ArgumentOutOfRangeException(nameof(eta), eta, "Eta must be at least 0.");
        _churn = churn ?? Churn.None;
        _noiseScale = noiseScale;
    }

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from) = _churn.Apply(context);
        var image = context.Denoise(noisy, from);
        var (down, added) = StepMath.Ancestral(from, context.To, _eta);
        var next = StepMath.FirstOrder(noisy, image, from, down);
        using var deviation = (added * _noiseScale).ToScalar();
        return new StepResult(added == 0 ? next : next.add_(context.DrawNoise(), alpha: deviation), image);
    }
}
