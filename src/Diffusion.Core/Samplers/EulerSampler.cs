using TorchSharp;

namespace Diffusion;

/// <summary>Euler's method, with churn or as ancestral sampling. First order: one evaluation a step.</summary>
/// <remarks>
/// Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, algorithm 2 without the correction; ancestral (η = 1) is
/// the split of Denoising Diffusion Implicit Models, arXiv:2010.02502, Eq. 16. Without churn the same result as <see cref="DdimSampler"/>: both are exact
/// for constant x̂₀.
/// </remarks>
public sealed class EulerSampler : Sampler
{
    private readonly EulerOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, η and churn; deterministic by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public EulerSampler(int? steps = null, EulerOptions? options = null)
        : base(steps, options) => _options = options ?? new EulerOptions();

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from) = _options.Churn.Apply(context);
        var image = context.Denoise(noisy, from);
        var (down, added) = StepMath.Ancestral(from, context.To, _options.Eta);
        var next = StepMath.FirstOrder(noisy, image, from, down);
        using var deviation = (added * _options.NoiseScale).ToScalar();
        return new StepResult(added == 0 ? next : next.add_(context.DrawNoise(), alpha: deviation), image);
    }
}
