using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// DPM-Solver++(2S): a second evaluation within each step instead of the history of earlier ones. Second order, two evaluations a step.
/// With η &gt; 0 ancestral ("2S ancestral"), or with noise at the inner point as well ("DPM++ SDE").
/// </summary>
/// <remarks>
/// DPM-Solver++, arXiv:2211.01095, algorithm 1: x̂₀ at λ_s + r·h, weighted 1/(2r). Where λ is infinite, at pure noise and at the clean image, the step is
/// of first order.
/// </remarks>
public sealed class DpmSolverSinglestepSampler : Sampler
{
    private readonly DpmSolverSinglestepOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, η and the inner point; deterministic by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public DpmSolverSinglestepSampler(int? steps = null, DpmSolverSinglestepOptions? options = null)
        : base(steps, options) => _options = options ?? new DpmSolverSinglestepOptions();

    /// <inheritdoc/>
    protected internal override NoiseSource CreateNoise(long seed) => _options.Eta > 0 ? new BrownianNoise(seed) : base.CreateNoise(seed);

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from, to) = (context.Noisy, context.From, context.To);
        var image = context.Denoise();
        var (down, added) = StepMath.Ancestral(from, to, _options.Eta);
        var used = image;
        if (down.Sigma > 0 && from.Alpha > 0 && !context.StaysAtLevel)
        {
            var target = _options.NoiseInside ? to : down;
            var inner = context.Denoiser.Schedule.LevelWithRatio(from.Ratio * Math.Pow(target.Ratio / from.Ratio, _options.Ratio));
            var (innerDown, innerAdded) = _options.NoiseInside ? StepMath.Ancestral(from, inner, _options.Eta) : (inner, 0);
            var halfway = Noised(StepMath.FirstOrder(noisy, image, from, innerDown), context, inner, innerAdded);
            var share = 1 / (2 * _options.Ratio);
            used = StepMath.Sum((1 - share, image), (share, context.Denoise(halfway, inner)));
        }

        return new StepResult(Noised(StepMath.FirstOrder(noisy, used, from, down), context, to, added), image);
    }

    private Tensor Noised(Tensor noisy, StepContext context, NoiseLevel to, double added)
    {
        using var deviation = (added * _options.NoiseScale).ToScalar();
        return added == 0 ? noisy : noisy.add_(context.DrawNoise(context.From, to), alpha: deviation);
    }
}
