using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// DPM-Solver++, multistep: the linear part of the step exactly, x̂₀ extrapolated from up to three steps. One evaluation a step;
/// the sampler to start with, good from 10 to 20 steps on. Its SDE form adds fresh noise.
/// </summary>
/// <remarks>
/// DPM-Solver++, arXiv:2211.01095, algorithm 2 and appendix B (orders 2 and 3, SDE); DPM-Solver, arXiv:2206.00927, for ε̂.
/// With h = λ_t − λ_s and H = h·(1 + η): x_t = (σ_t/σ_s)·e^(−ηh)·x + α_t·(1 − e^(−H))·D + σ_t·√(1 − e^(−2ηh))·z.
/// Where λ is infinite, at pure noise and at the clean image, the step is of first order and exact for constant x̂₀. Between equal levels x stays.
/// </remarks>
public sealed class DpmSolverSampler : Sampler
{
    private const int FewSteps = 15; // below which the authors' code lowers the order towards the end

    private readonly DpmSolverOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, order and variant; DPM-Solver++(2M) by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public DpmSolverSampler(int? steps = null, DpmSolverOptions? options = null)
        : base(steps, options) => _options = options ?? new DpmSolverOptions();

    /// <inheritdoc/>
    protected internal override int HistoryLength => _options.Order - 1;

    internal override bool Ascends => _options.Ascends;

    /// <inheritdoc/>
    protected internal override NoiseSource CreateNoise(long seed) => _options.Eta > 0 ? new BrownianNoise(seed) : base.CreateNoise(seed);

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var image = context.Denoise();
        var order = OrderAt(context);
        return new StepResult(
            !_options.PredictX0 && context.From.Alpha > 0 && context.To.Sigma > 0 ? AlongNoise(context, image, order) : AlongImage(context, image, order),
            image);
    }

    private int OrderAt(StepContext context)
    {
        if (context.From.Alpha == 0 || context.To.Sigma == 0 || context.StaysAtLevel || (_options.EulerAtFinal && context.StepsLeft == 0))
        {
            return 1;
        }

        var lower = _options.LowerOrderFinal ?? context.Levels.Count - 1 < FewSteps;
        var known = 1 + context.Past.TakeWhile(step => step.Level.Alpha > 0).Count();
        var wanted = lower ? Math.Min(_options.Order, context.StepsLeft + 1) : _options.Order;
        return Math.Min(wanted, known);
    }

    private Tensor AlongImage(StepContext context, Tensor image, int order)
    {
        var (from, to, eta) = (context.From, context.To, _options.Eta);
        var shrink = StepMath.Shrink(from, to);
        var h = -Math.Log(shrink);
        var replaced = eta == 0 ? 1 : Math.Pow(shrink, eta); // e^(−ηh)
        var weight = to.Alpha * (1 - (shrink * replaced));
        var full = h * (1 + eta);
        Tensor[] images = [image, .. context.Past.Take(order - 1).Select(step => step.Image)];
        var third = to.Alpha * (StepMath.Phi3(full) + (_options.OffsetThirdOrder && eta > 0 ? 1 : 0));
        var weights = Weights(context, order, h, weight, to.Alpha * StepMath.Phi2(full), third);
        var next = Blend(to.Sigma / from.Sigma * replaced, context.Noisy, weights, images);
        var added = to.Sigma * Math.Sqrt(1 - (replaced * replaced)) * _options.NoiseScale;
        using var deviation = added.ToScalar();
        return added == 0 ? next : next.add_(context.DrawNoise(), alpha: deviation);
    }

    private Tensor AlongNoise(StepContext context, Tensor image, int order)
    {
        var (from, to) = (context.From, context.To);
        var shrink = StepMath.Shrink(from, to);
        var h = -Math.Log(shrink);
        Tensor[] noises = [StepMath.NoiseOf(context.Noisy, image, from), .. context.Past.Take(order - 1).Select(step => step.PredictedNoise())];
        var weights = Weights(context, order, h, to.Sigma * (1 - (1 / shrink)), to.Sigma * StepMath.Phi2(-h), to.Sigma * StepMath.Phi3(-h));
        return Blend(to.Alpha / from.Alpha, context.Noisy, weights, noises);
    }

    /// <summary>
    /// The weights of the predictions of this step and those before it: first·D₀ + (midpoint: first/2, Heun: second)·D₁ for order 2,
    /// first·D₀ + second·D₁ − 2·third·D₂ for order 3, with the divided differences D, h·m′ and h²·m″/2, multiplied out.
    /// </summary>
    private double[] Weights(StepContext context, int order, double h, double first, double second, double third)
    {
        if (order == 1)
        {
            return [first];
        }

        var r0 = (context.From.HalfLogSnr - context.Past[0].Level.HalfLogSnr) / h;
        if (order == 2)
        {
            var slope = (_options.SolverType == DpmSolverType.Heun ? second : first / 2) / r0;
            return [first + slope, -slope];
        }

        var r1 = (context.Past[0].Level.HalfLogSnr - context.Past[1].Level.HalfLogSnr) / h;
        // D₁ = d₀ + r0/(r0 + r1)·(d₀ − d₁) and D₂ = (d₀ − d₁)/(r0 + r1), with d₀ = (m₀ − m₁)/r0 and d₁ = (m₁ − m₂)/r1
        var bend = ((second * r0) - (third * (_options.ReferenceThirdOrder ? 1 : 2))) / (r0 + r1);
        var near = (second + bend) / r0;
        var far = bend / r1;
        return [first + near, -near - far, far];
    }

    private static Tensor Blend(double share, Tensor noisy, double[] weights, Tensor[] predictions) =>
        StepMath.Sum([(share, noisy), .. weights.Zip(predictions)]);
}
