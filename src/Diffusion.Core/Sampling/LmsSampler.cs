using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Linear multistep (Adams–Bashforth on uneven steps) in x/α over σ/α: the slopes of up to four steps, joined by a polynomial that is integrated exactly.
/// One evaluation a step.
/// </summary>
/// <remarks>
/// Pseudo Numerical Methods for Diffusion Models on Manifolds, arXiv:2202.09778, Eq. 12, generalised to uneven steps (Hairer, Nørsett, Wanner:
/// Solving Ordinary Differential Equations I, III.5).
/// </remarks>
public sealed class LmsSampler : Sampler
{
    private const int MostOrder = 4;
    private readonly int _order;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where the steps lie; trailing by default.</param>
    /// <param name="order">How many slopes are joined, in [1, 4]; the first steps have fewer.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public LmsSampler(int? steps = null, StepSpacing? spacing = null, int order = MostOrder)
        : base(steps, spacing) =>
        _order = order is >= 1 and <= MostOrder ? order : throw new ArgumentOutOfRangeException(nameof(order), order, $"The order must be in [1, {MostOrder}].");

    /// <inheritdoc/>
    protected internal override int HistoryLength => _order - 1;

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var image = context.Denoise();
        if (context.From.Alpha == 0)
        {
            return new StepResult(StepMath.FirstOrder(context.Noisy, image, context.From, context.To), image);
        }

        var past = context.Past.Where(step => step.Level.Alpha > 0).ToArray();
        double[] ratios = [context.From.Ratio, .. past.Select(step => step.Level.Ratio)];
        Tensor[] slopes = [StepMath.NoiseOf(context.Noisy, image, context.From), .. past.Select(step => step.PredictedNoise())];
        var terms = new (double, Tensor)[ratios.Length + 1];
        terms[0] = (context.To.Alpha / context.From.Alpha, context.Noisy);
        for (var j = 0; j < ratios.Length; j++)
        {
            terms[j + 1] = (context.To.Alpha * Lagrange.Integral(ratios, j, context.From.Ratio, context.To.Ratio), slopes[j]);
        }

        return new StepResult(StepMath.Sum(terms), image);
    }
}
