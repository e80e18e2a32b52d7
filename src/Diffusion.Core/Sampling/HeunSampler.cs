using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Heun's method: an Euler step, then the mean of the predictions at both ends, x̂₀ along α and ε̂ along σ. Second order, two evaluations a step, one where no
/// noise is left at its end. With churn it is the stochastic sampler of EDM.
/// </summary>
/// <remarks>
/// Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, algorithms 1 and 2, for α = 1. For other schedules the trapezoidal rule on
/// x_t = x_s + ∫x̂₀ dα + ∫ε̂ dσ stays bounded however little image is left; the paper's form in x/α over σ/α, which does not, is an option.
/// </remarks>
public sealed class HeunSampler : Sampler
{
    private readonly Churn _churn;
    private readonly bool _doublePrecision;
    private readonly bool _unscaled;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where the steps lie; trailing by default, <see cref="StepSpacing.Karras"/> in the paper.</param>
    /// <param name="churn">Noise added before a step; none by default.</param>
    /// <param name="doublePrecision">Whether x is kept in Float64 between the network calls, as the EDM authors do; false by default.</param>
    /// <param name="unscaled">Whether the slope is that of x/α over σ/α, as diffusers has it, instead of that of x; no difference for α = 1.</param>
    public HeunSampler(int? steps = null, StepSpacing? spacing = null, Churn? churn = null, bool doublePrecision = false, bool unscaled = false)
        : base(steps, spacing)
    {
        _churn = churn ?? Churn.None;
        _doublePrecision = doublePrecision;
        _unscaled = unscaled;
    }

    /// <inheritdoc/>
    protected internal override ScalarType? StateType => _doublePrecision ? ScalarType.Float64 : null;

    /// <summary>The stochastic sampler of EDM with the settings of its paper for ImageNet 64×64: Karras's spacing, churn, state in Float64.</summary>
    /// <param name="steps">The number of steps.</param>
    /// <param name="spacing">Where they lie; <see cref="StepSpacing.Karras"/> by default.</param>
    /// <returns>The sampler.</returns>
    public static HeunSampler Edm(int? steps = null, StepSpacing? spacing = null) =>
        new(steps, spacing ?? StepSpacing.Karras(), new Churn(40, 0.05, 50, 1.003), doublePrecision: true);

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from) = _churn.Apply(context);
        var to = context.To;
        var image = context.Denoise(noisy, from);
        var next = StepMath.FirstOrder(noisy, image, from, to);
        if (to.Sigma == 0 || (_unscaled && from.Alpha == 0))
        {
            return new StepResult(next, image);
        }

        var atEnd = context.Denoise(next, to);
        if (_unscaled)
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
