using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// SA-Solver: stochastic Adams methods, a multistep predictor and a corrector that uses the evaluation at the end of the step, which is also that of the next one, and the noise of the
/// predictor. One evaluation a step.
/// </summary>
/// <remarks>
/// SA-Solver, arXiv:2309.05019, algorithm 1 and appendix B. τ is 1 for timesteps from 200 to 800 and 0 elsewhere, and order 2 has the authors' added term of third order, as in their code and
/// in diffusers. With h = λ_t − λ_s, for x̂₀: x_t = (σ_t/σ_s)·e^(−τ²h)·x + σ_t·e^(−τ²λ_t)·(1 + τ²)·∑ x̂₀·∫ e^((1 + τ²)λ)·ℓ dλ + σ_t·√(1 − e^(−2τ²h))·z.
/// </remarks>
internal sealed class SaSolverSampler : Sampler
{
    private const double FirstNoisy = 200;
    private const double LastNoisy = 800;
    private const int MaxOrder = 4;

    private readonly int _predictor;
    private readonly int _corrector;
    private readonly bool _predictX0;
    private readonly bool _lowerOrderFinal;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1.</param>
    /// <param name="options">The spacing.</param>
    /// <param name="orders">The orders of the predictor and of the corrector, in [1, 4].</param>
    /// <param name="predictX0">Whether x̂₀ is interpolated or ε̂.</param>
    /// <param name="lowerOrderFinal">Whether the orders fall towards the end of a run.</param>
    /// <exception cref="ArgumentException">An order is out of range.</exception>
    public SaSolverSampler(int? steps, SamplerOptions options, (int Predictor, int Corrector) orders, bool predictX0, bool lowerOrderFinal)
        : base(steps, options)
    {
        if (orders.Predictor is < 1 or > MaxOrder || orders.Corrector is < 1 or > MaxOrder)
        {
            throw new ArgumentException($"The orders must be from 1 to {MaxOrder}; they are {orders.Predictor} and {orders.Corrector}.", nameof(orders));
        }

        ((_predictor, _corrector), _predictX0, _lowerOrderFinal) = (orders, predictX0, lowerOrderFinal);
    }

    /// <inheritdoc/>
    protected internal override int HistoryLength => Math.Max(_predictor, _corrector - 1);

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (from, to) = (context.From, context.To);
        var image = context.Denoise();
        var noisy = context.Noisy;
        Tensor? corrected = null;
        PastStep[] past = [.. context.Past.TakeWhile(step => step.Level.Alpha > 0)];
        if (past.Length > 0 && from.Alpha > 0)
        {
            // The prediction, x̂₀ or ε̂, stays that of the uncorrected x. What is left of x without the predictor's mean is the noise that it added.
            var prediction = _predictX0 ? image : StepMath.NoiseOf(noisy, image, from);
            PastStep[] known = [new PastStep(from, noisy, image), .. past];
            var terms = Mean(past, OrderAt(_predictor, context, context.Index - 1, past.Length), from, past[0]);
            var better = Mean(known, OrderAt(_corrector, context, context.Index - 2, past.Length + 1), from, past[0]);
            noisy = corrected = StepMath.Sum([(1, noisy), .. terms.Select(term => (-term.Weight, term.Value)), .. better]);
            image = _predictX0 ? image : StepMath.Sum((1 / from.Alpha, noisy), (-from.Sigma / from.Alpha, prediction));
        }

        if (from.Alpha == 0 || to.Sigma == 0)
        {
            return new StepResult(StepMath.FirstOrder(noisy, image, from, to), image) { Corrected = corrected };
        }

        var start = new PastStep(from, noisy, image);
        var next = StepMath.Sum([.. Mean([start, .. past], OrderAt(_predictor, context, context.Index, past.Length + 1), to, start)]);
        var added = Added(from, to);
        using var deviation = added.ToScalar();
        return new StepResult(added == 0 ? next : next.add_(context.DrawNoise(), alpha: deviation), image) { Corrected = corrected };
    }

    private static double Tau(NoiseLevel level) => level.Timestep is >= FirstNoisy and <= LastNoisy ? 1 : 0;

    private int OrderAt(int order, StepContext context, int index, int known) =>
        Math.Min(known, _lowerOrderFinal ? Math.Min(order, context.Levels.Count - 1 - index) : order);

    /// <summary>The standard deviation of the noise of a step.</summary>
    private double Added(NoiseLevel from, NoiseLevel to)
    {
        var (tau, shrink) = (Tau(from), StepMath.Shrink(from, to)); // e^(−h)
        return tau == 0 ? 0 : to.Sigma * (_predictX0 ? Math.Sqrt(1 - Math.Pow(shrink, 2 * tau * tau)) : tau * Math.Sqrt((1 / (shrink * shrink)) - 1));
    }

    /// <summary>The mean of a step, as weights and tensors.</summary>
    /// <param name="known">The predictions, latest first: for the corrector the first is that at the end of the step.</param>
    /// <param name="order">How many of them are used.</param>
    /// <param name="to">The level the step ends at.</param>
    /// <param name="start">Where it begins.</param>
    private IEnumerable<(double Weight, Tensor Value)> Mean(PastStep[] known, int order, NoiseLevel to, PastStep start)
    {
        var (from, tau) = (start.Level, Tau(start.Level));
        var rate = 1 + (tau * tau);
        var lambdas = known.Take(order).Select(step => step.Level.HalfLogSnr).ToArray();
        var scale = _predictX0 ? rate : -1;
        double[] points = [.. lambdas.Select(lambda => scale * lambda)];
        var lead = _predictX0 ? to.Sigma * Math.Exp(-tau * tau * to.HalfLogSnr) : rate * to.Alpha;
        double[] weights = [.. points.Select((_, j) => lead * Lagrange.ExponentialIntegral(points, j, scale * from.HalfLogSnr, scale * to.HalfLogSnr))];
        if (_predictX0 && order == 2)
        {
            var bend = Bend(rate, from, to, lambdas);
            weights = [weights[0] + bend, weights[1] - bend];
        }

        var share = _predictX0 ? to.Sigma / from.Sigma * Math.Pow(StepMath.Shrink(from, to), tau * tau) : to.Alpha / from.Alpha;
        return [(share, start.Noisy), .. weights.Zip(known, (weight, step) => (weight, _predictX0 ? step.Image : step.PredictedNoise()))];
    }

    /// <summary>The authors' addition to order 2: the slope's weight becomes that of a step of equal weights, kα·h²/2.</summary>
    private static double Bend(double rate, NoiseLevel from, NoiseLevel to, double[] lambdas)
    {
        var h = to.HalfLogSnr - from.HalfLogSnr;
        var exact = ((rate * h) + StepMath.Expm1(-rate * h)) / (rate * rate);
        return h == 0 ? 0 : rate * to.Alpha * ((h * h / 2) - exact) / (lambdas[0] - lambdas[1]);
    }
}
