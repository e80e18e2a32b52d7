using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Heun's method in x/α over σ/α: an Euler step, then the mean of the slopes at both ends. Second order, two evaluations a step, one where there is no noise at
/// the end of the step or no image at its start. With churn it is the stochastic sampler of EDM.
/// </summary>
/// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, algorithms 1 and 2.</remarks>
public sealed class HeunSampler : Sampler
{
    private readonly Churn _churn;
    private readonly bool _doublePrecision;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where the steps lie; evenly by default, <see cref="StepSpacing.Karras"/> in the paper.</param>
    /// <param name="churn">Noise added before a step; none by default.</param>
    /// <param name="doublePrecision">Whether x is kept in Float64 between the network calls, as the EDM authors do; false by default.</param>
    public HeunSampler(int? steps = null, StepSpacing? spacing = null, Churn? churn = null, bool doublePrecision = false)
        : base(steps, spacing)
    {
        _churn = churn ?? Churn.None;
        _doublePrecision = doublePrecision;
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
        if (to.Sigma == 0 || from.Alpha == 0)
        {
            return new StepResult(next, image);
        }

        // x_t = x_t' + α_t·(s_t − s_s)/2·(ε' − ε) with s = σ/α; on an Euler step ε' − ε is (x̂₀ − x̂₀')/s_t.
        var weight = to.Alpha / 2 * ((1 / StepMath.Shrink(from, to)) - 1);
        return new StepResult(StepMath.Sum((1, next), (weight, context.Denoise(next, to)), (-weight, image)), image);
    }
}
