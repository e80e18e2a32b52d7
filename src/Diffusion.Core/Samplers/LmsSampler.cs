using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Linear multistep (Adams–Bashforth on uneven steps) in x/α over σ/α: the slopes of up to four steps are interpolated by a polynomial that is integrated exactly.
/// One evaluation a step.
/// </summary>
/// <remarks>
/// Pseudo Numerical Methods for Diffusion Models on Manifolds, arXiv:2202.09778, Eq. 12, generalised to uneven steps (Hairer, Nørsett, Wanner:
/// Solving Ordinary Differential Equations I, III.5).
/// </remarks>
public sealed class LmsSampler : Sampler
{
    private readonly LmsOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing and order.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public LmsSampler(int? steps = null, LmsOptions? options = null)
        : base(steps, options) => _options = options ?? new LmsOptions();

    /// <inheritdoc/>
    protected internal override int HistoryLength => _options.Order - 1;

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
