using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// DPM-Solver++(2S): a second evaluation within each step instead of a memory of earlier ones. Second order, two evaluations a step.
/// With η &gt; 0 ancestral ("2S ancestral"), or with noise at the inner point as well ("DPM++ SDE").
/// </summary>
/// <remarks>
/// DPM-Solver++, arXiv:2211.01095, algorithm 1: x̂₀ at λ_s + r·h, weighted 1/(2r). Where λ is infinite, at pure noise and at the clean image, the step is
/// of first order.
/// </remarks>
public sealed class DpmSolverSinglestepSampler : Sampler
{
    private readonly double _eta;
    private readonly double _ratio;
    private readonly bool _noiseInside;
    private readonly double _noiseScale;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where the steps lie; trailing by default.</param>
    /// <param name="eta">η, at least 0: 0 (default) is deterministic, 1 as stochastic as ancestral sampling.</param>
    /// <param name="ratio">r, in (0, 1]: where the inner point lies, in λ; ½ by default.</param>
    /// <param name="noiseInside">Whether noise is added at the inner point too ("DPM++ SDE"); if not (default), only at the end of the step.</param>
    /// <param name="noiseScale">The standard deviation of the fresh noise; 1 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public DpmSolverSinglestepSampler(
        int? steps = null, StepSpacing? spacing = null, double eta = 0, double ratio = 0.5, bool noiseInside = false, double noiseScale = 1)
        : base(steps, spacing)
    {
        _eta = eta >= 0 ? eta : throw new ArgumentOutOfRangeException(nameof(eta), eta, "Eta must be at least 0.");
        _ratio = ratio is > 0 and <= 1 ? ratio : throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The position of the inner point must be in (0, 1].");
        _noiseInside = noiseInside;
        _noiseScale = noiseScale;
    }

    /// <inheritdoc/>
    protected internal override NoiseSource CreateNoise(long seed) => _eta > 0 ? new BrownianNoise(seed) : base.CreateNoise(seed);

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from, to) = (context.Noisy, context.From, context.To);
        var image = context.Denoise();
        var (down, added) = StepMath.Ancestral(from, to, _eta);
        var used = image;
        if (down.Sigma > 0 && from.Alpha > 0)
        {
            var target = _noiseInside ? to : down;
            var inner = context.Denoiser.Schedule.LevelWithRatio(from.Ratio * Math.Pow(target.Ratio / from.Ratio, _ratio));
            var (innerDown, innerAdded) = _noiseInside ? StepMath.Ancestral(from, inner, _eta) : (inner, 0);
            var halfway = Noised(StepMath.FirstOrder(noisy, image, from, innerDown), context, inner, innerAdded);
            var share = 1 / (2 * _ratio);
            used = StepMath.Sum((1 - share, image), (share, context.Denoise(halfway, inner)));
        }

        return new StepResult(Noised(StepMath.FirstOrder(noisy, used, from, down), context, to, added), image);
    }

    private Tensor Noised(Tensor noisy, StepContext context, NoiseLevel to, double added)
    {
        using var deviation = (added * _noiseScale).ToScalar();
        return added == 0 ? noisy : noisy.add_(context.DrawNoise(context.From, to), alpha: deviation);
    }
}
