using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// DPM-Solver and DPM-Solver++, singlestep over the levels of the run: blocks of as many steps as the order is, each step of which starts again at the x of the block's first
/// and uses the predictions made within the block. One evaluation a step.
/// </summary>
/// <remarks>
/// DPM-Solver, arXiv:2206.00927, algorithms 1 and 2 and section 3.3 ("DPM-Solver-fast"); DPM-Solver++, arXiv:2211.01095, algorithm 1, with the inner points of a block at levels of the
/// spacing, as in diffusers' DPMSolverSinglestepScheduler. A last step that would be of full order is of first order, unless <see cref="DpmSolverOptions.LowerOrderFinal"/> is
/// false, the blocks come out even and noise is left at the end.
/// </remarks>
internal sealed class DpmSolverBlockSampler : Sampler
{
    private readonly DpmSolverOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> for all T.</param>
    /// <param name="options">Spacing, order and variant.</param>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public DpmSolverBlockSampler(int? steps, DpmSolverOptions options)
        : base(steps, options) => _options = options;

    /// <inheritdoc/>
    protected internal override int HistoryLength => _options.Order - 1;

    /// <inheritdoc/>
    protected internal override NoiseSource CreateNoise(long seed) => _options.Eta > 0 ? new BrownianNoise(seed) : base.CreateNoise(seed);

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var image = context.Denoise();
        PastStep[] block = [new PastStep(context.From, context.Noisy, image), .. context.Past.TakeWhile(step => step.Level.Alpha > 0).Take(OrderAt(context) - 1)];
        var alongNoise = !_options.PredictX0 && block[^1].Level.Alpha > 0 && context.To.Sigma > 0;
        return new StepResult(alongNoise ? AlongNoise(context, block) : AlongImage(context, block), image);
    }

    private int OrderAt(StepContext context)
    {
        if (context.From.Alpha == 0 || context.To.Sigma == 0)
        {
            return 1;
        }

        var steps = context.Levels.Count - 1;
        var lower = _options.LowerOrderFinal != false || steps % _options.Order != 0 || context.Levels[^1].Sigma == 0;
        var order = (context.Index % _options.Order) + 1;
        return lower && context.StepsLeft == 0 && order == _options.Order ? 1 : order;
    }

    /// <param name="context">The step.</param>
    /// <param name="block">The steps of the block so far, latest first.</param>
    private Tensor AlongImage(StepContext context, PastStep[] block)
    {
        var (start, to, eta) = (block[^1], context.To, _options.Eta);
        var shrink = StepMath.Shrink(start.Level, to);
        var h = -Math.Log(shrink);
        var replaced = eta == 0 ? 1 : Math.Pow(shrink, eta); // e^(−ηh)
        var full = h * (1 + eta);
        var third = to.Alpha * (StepMath.Phi3(full) + (_options.OffsetThirdOrder && eta > 0 ? 1 : 0));
        var weights = Weights(block, h, to.Alpha * (1 - (shrink * replaced)), to.Alpha * StepMath.Phi2(full), third);
        var next = StepMath.Sum([(to.Sigma / start.Level.Sigma * replaced, start.Noisy), .. weights.Zip(block.Select(step => step.Image))]);
        var added = to.Sigma * Math.Sqrt(1 - (replaced * replaced)) * _options.NoiseScale;
        using var deviation = added.ToScalar();
        return added == 0 ? next : next.add_(context.DrawNoise(start.Level, to), alpha: deviation);
    }

    private Tensor AlongNoise(StepContext context, PastStep[] block)
    {
        var (start, to) = (block[^1], context.To);
        var shrink = StepMath.Shrink(start.Level, to);
        var h = -Math.Log(shrink);
        var weights = Weights(block, h, to.Sigma * (1 - (1 / shrink)), to.Sigma * StepMath.Phi2(-h), to.Sigma * StepMath.Phi3(-h));
        return StepMath.Sum([(to.Alpha / start.Level.Alpha, start.Noisy), .. weights.Zip(block.Select(step => step.PredictedNoise()))]);
    }

    /// <summary>
    /// The weights of the block's predictions, latest first. With d₁ and d₂ the divided differences from the block's start to its second and third evaluation: first·D₀ + (midpoint:
    /// first/2, Heun: second)·d₁ for two steps; for three, midpoint: first·D₀ + second·d₂, Heun: first·D₀ + second·D₁ − third·D₂ with the slope D₁ and the bend D₂ at the start.
    /// </summary>
    private double[] Weights(PastStep[] block, double h, double first, double second, double third)
    {
        if (block.Length == 1)
        {
            return [first];
        }

        double Position(int step) => (block[step].Level.HalfLogSnr - block[^1].Level.HalfLogSnr) / h;
        var far = Position(0);
        if (block.Length == 2)
        {
            var slope = (_options.SolverType == DpmSolverType.Heun ? second : first / 2) / far;
            return [slope, first - slope];
        }

        if (_options.SolverType == DpmSolverType.Midpoint)
        {
            return [second / far, 0, first - (second / far)];
        }

        // D₁ = (far·d₁ − near·d₂)/(far − near) and D₂ = 2·(d₂ − d₁)/(far − near)
        var near = Position(1);
        var latest = -((second * near) + (2 * third)) / ((far - near) * far);
        var middle = ((second * far) + (2 * third)) / ((far - near) * near);
        return [latest, middle, first - latest - middle];
    }
}
