using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// DEIS, multistep: the ε̂ of up to three steps are interpolated by a polynomial in ln(σ/α) that is integrated exactly over σ/α. One evaluation a step.
/// </summary>
/// <remarks>
/// Fast Sampling of Diffusion Models with Exponential Integrator, arXiv:2204.13902, section 3.3, with the polynomial in ln ρ, ρ = σ/α. The order falls to 1 towards the end
/// of runs of fewer than 15 steps, as in diffusers.
/// </remarks>
internal sealed class DeisSampler : Sampler
{
    private const int FewSteps = 15;

    private readonly int _order;
    private readonly bool _lowerOrderFinal;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1.</param>
    /// <param name="options">The spacing.</param>
    /// <param name="order">The number of predictions that are combined, in [1, 3].</param>
    /// <param name="lowerOrderFinal">Whether the order falls towards the end of short runs.</param>
    /// <exception cref="ArgumentException">The order is out of range.</exception>
    public DeisSampler(int? steps, SamplerOptions options, int order, bool lowerOrderFinal)
        : base(steps, options)
    {
        if (order is < 1 or > 3)
        {
            throw new ArgumentException($"The order must be from 1 to 3; it is {order}.", nameof(order));
        }

        (_order, _lowerOrderFinal) = (order, lowerOrderFinal);
    }

    /// <inheritdoc/>
    protected internal override int HistoryLength => _order - 1;

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (from, to) = (context.From, context.To);
        var image = context.Denoise();
        var past = context.Past.TakeWhile(step => step.Level.Alpha > 0).Take(OrderAt(context) - 1).ToArray();
        if (past.Length == 0 || from.Alpha == 0 || to.Sigma == 0)
        {
            return new StepResult(StepMath.FirstOrder(context.Noisy, image, from, to), image);
        }

        double[] logs = [Math.Log(from.Ratio), .. past.Select(step => Math.Log(step.Level.Ratio))];
        Tensor[] noises = [StepMath.NoiseOf(context.Noisy, image, from), .. past.Select(step => step.PredictedNoise())];
        var terms = noises.Select((noise, j) => (to.Alpha * Lagrange.ExponentialIntegral(logs, j, logs[0], Math.Log(to.Ratio)), noise));
        return new StepResult(StepMath.Sum([(to.Alpha / from.Alpha, context.Noisy), .. terms]), image);
    }

    private int OrderAt(StepContext context) =>
        _lowerOrderFinal && context.Levels.Count - 1 < FewSteps ? Math.Min(_order, context.StepsLeft + 1) : _order;
}
