using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// UniPC: a multistep predictor, and a corrector that uses the evaluation at the end of the step, which is also that of the next step. One evaluation a step,
/// one order more than the predictor.
/// </summary>
/// <remarks>
/// UniPC, arXiv:2302.04867, algorithms 1 to 4 and theorem 3.1; orders as in the authors' code, where the predictor of order 2 and the corrector of order 1
/// have the fixed weight ½. Where λ is infinite, at pure noise and at the clean image, the step is of first order and not corrected.
/// </remarks>
public sealed class UniPcSampler : Sampler
{
    private readonly UniPcOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, order and variant.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public UniPcSampler(int? steps = null, UniPcOptions? options = null)
        : base(steps, options) => _options = options ?? new UniPcOptions();

    /// <inheritdoc/>
    protected internal override int HistoryLength => _options.Order;

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var image = context.Denoise();
        var noisy = context.Noisy;
        Tensor? corrected = null;
        if (context.Past.Count > 0 && context.Past[0].Level.Alpha > 0 && !_options.DisableCorrector.Contains(context.Index - 1))
        {
            // The prediction, x̂₀ or ε̂, stays that of the uncorrected x.
            var order = OrderOf(context.Index - 1, context, context.Past.Skip(1));
            var prediction = Predicted(noisy, image, context.From);
            noisy = corrected = Update(context.Past[0].Noisy, context.Past, order, context.Past[0].Level, context.From, prediction);
            image = _options.PredictX0 ? image : StepMath.Sum((1 / context.From.Alpha, noisy), (-context.From.Sigma / context.From.Alpha, prediction));
        }

        PastStep[] known = [new PastStep(context.From, noisy, image), .. context.Past];
        if (context.From.Alpha == 0 || context.To.Sigma == 0 || context.StaysAtLevel)
        {
            return new StepResult(StepMath.FirstOrder(noisy, image, context.From, context.To), image) { Corrected = corrected };
        }

        return new StepResult(Update(noisy, known, OrderOf(context.Index, context, context.Past), context.From, context.To, null), image) { Corrected = corrected };
    }

    private int OrderOf(int index, StepContext context, IEnumerable<PastStep> before)
    {
        var wanted = _options.LowerOrderFinal ? Math.Min(_options.Order, context.Levels.Count - 1 - index) : _options.Order;
        return Math.Min(wanted, 1 + before.TakeWhile(step => step.Level.Alpha > 0).Count());
    }

    private Tensor Predicted(Tensor noisy, Tensor image, NoiseLevel level) => _options.PredictX0 ? image : StepMath.NoiseOf(noisy, image, level);

    /// <summary>The predictor, or with the prediction at the end of the step the corrector.</summary>
    private Tensor Update(Tensor noisy, IReadOnlyList<PastStep> known, int order, NoiseLevel from, NoiseLevel to, Tensor? atEnd)
    {
        var h = -Math.Log(StepMath.Shrink(from, to));
        var hh = _options.PredictX0 ? -h : h;
        var growth = StepMath.Expm1(hh);
        var scale = _options.SolverType == UniPcSolverType.Bh2 ? growth : hh;
        var ratios = new double[order];
        for (var i = 1; i < order; i++)
        {
            ratios[i - 1] = (known[i].Level.HalfLogSnr - from.HalfLogSnr) / h;
        }

        ratios[order - 1] = 1;
        var rhos = Rhos(ratios, hh, growth, scale, corrector: atEnd is not null);
        var now = Predicted(known[0].Noisy, known[0].Image, from);
        var lead = _options.PredictX0 ? to.Alpha : to.Sigma;
        var nowWeight = -lead * growth;
        var terms = new List<(double, Tensor)>();
        for (var i = 1; i < order; i++)
        {
            var weight = -lead * scale * rhos[i - 1] / ratios[i - 1];
            terms.Add((weight, Predicted(known[i].Noisy, known[i].Image, known[i].Level)));
            nowWeight -= weight;
        }

        if (atEnd is not null)
        {
            var weight = -lead * scale * rhos[^1];
            terms.Add((weight, atEnd));
            nowWeight -= weight;
        }

        var share = _options.PredictX0 ? to.Sigma / from.Sigma : to.Alpha / from.Alpha;
        return StepMath.Sum([(share, noisy), (nowWeight, now), .. terms]);
    }

    /// <summary>The weights that make the update exact for polynomials up to its order: arXiv:2302.04867, Eq. 5.</summary>
    private static double[] Rhos(double[] ratios, double hh, double growth, double scale, bool corrector)
    {
        var order = ratios.Length;
        var size = corrector ? order : order - 1;
        if (size == 0)
        {
            return [];
        }

        if (corrector ? order == 1 : order == 2)
        {
            return [0.5];
        }

        var matrix = new double[size, size];
        var right = new double[size];
        var phi = (growth / hh) - 1;
        var factorial = 1.0;
        for (var row = 0; row < size; row++)
        {
            for (var column = 0; column < size; column++)
            {
                matrix[row, column] = Math.Pow(ratios[column], row);
            }

            right[row] = phi * factorial / scale;
            factorial *= row + 2;
            phi = (phi / hh) - (1 / factorial);
        }

        return LinearSystem.Solve(matrix, right);
    }
}
