using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Heun's method: an Euler step, then the mean of the predictions at both ends, x̂₀ along α and ε̂ along σ. Second order, two evaluations a step, one where no
/// noise is left at its end. With churn it is the stochastic sampler of EDM.
/// </summary>
/// <remarks>
/// Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, algorithms 1 and 2, for α = 1. For other schedules the trapezoidal rule on
/// x_t = x_s + ∫x̂₀ dα + ∫ε̂ dσ stays bounded however little image is left; the paper's form in x/α over σ/α, which does not, is <see cref="HeunOptions.Unscaled"/>.
/// </remarks>
public sealed class HeunSampler : Sampler
{
    private readonly HeunOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, churn and the form of the slope; deterministic by default, <see cref="HeunOptions.Edm"/> for the sampler of the paper.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public HeunSampler(int? steps = null, HeunOptions? options = null)
        : base(steps, options) => _options = options ?? new HeunOptions();

    /// <inheritdoc/>
    protected internal override ScalarType? StateType => _options.DoublePrecision ? ScalarType.Float64 : null;

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from) = _options.Churn.Apply(context);
        var to = context.To;
        var image = context.Denoise(noisy, from);
        var next = StepMath.FirstOrder(noisy, image, from, to);
        if (to.Sigma == 0 || (_options.Unscaled && from.Alpha == 0))
        {
            return new StepResult(next, image);
        }

        var atEnd = context.Denoise(next, to);
        if (_options.Unscaled)
        {
            // x_t = x_t' + α_t·(s_t − s_s)/2·(ε' − ε) with s = σ/α; on an Euler step ε' − ε is (x̂₀ − x̂₀')/s_t.
            var weight = to.Alpha / 2 * ((1 / StepMath.Shrink(from, to)) - 1);
            return new StepResult(StepMath.Sum((1, next), (weight, atEnd), (-weight, image)), image);
        }

        // x_t = x_t' + (α_t − α_s)/2·(x̂₀' − x̂₀) + (σ_t − σ_s)/2·(ε' − ε), and ε' − ε is (x̂₀ − x̂₀')·α_t/σ_t.
        var share = ((to.Alpha - from.Alpha) - ((to.Sigma - from.Sigma) * to.Alpha / to.Sigma)) / 2;
        return new StepResult(StepMath.Sum((1, next), (share, atEnd), (-share, image)), image);
    }
}
