namespace Diffusion;

/// <summary>
/// The sigmoid schedule: ᾱ(u) = (g(end) − g(start + u·(end − start)))/(g(end) − g(start)), g(v) = 1/(1 + e^(−v/τ)).
/// The older form, in which the βs themselves follow a sigmoid, is <see cref="OfBetas"/>.
/// </summary>
/// <remarks>
/// Scalable Adaptive Computation for Iterative Generation, arXiv:2212.11972, appendix B; <see cref="OfBetas"/>: GeoDiff, arXiv:2203.02923.
/// </remarks>
internal sealed class SigmoidNoiseSchedule : TabulatedNoiseSchedule
{
    private const double Steepest = 6; // where GeoDiff cuts the sigmoid off, on both sides

    /// <summary>The schedule of the paper, by its βs, β_t = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), 0.999).</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="start">Where on the sigmoid the clean image lies.</param>
    /// <param name="end">Where pure noise lies, above <paramref name="start"/>.</param>
    /// <param name="temperature">τ, above 0.</param>
    /// <param name="maxBeta">The largest β, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public SigmoidNoiseSchedule(int timesteps = 1000, double start = -3, double end = 3, double temperature = 1, double maxBeta = VarianceTables.PaperMaxBeta)
        : base(VarianceTables.FromAlphaBar(timesteps, Formula(start, end, temperature), maxBeta))
    {
    }

    private SigmoidNoiseSchedule((double[] Betas, double[] AlphaBars) tables)
        : base(tables)
    {
    }

    /// <summary>β_t = betaStart + (betaEnd − betaStart)·g(v_t), with v_t evenly from −6 to 6.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="betaStart">What β tends to at the clean end, in (0, 1).</param>
    /// <param name="betaEnd">What β tends to at the noisy end, in (0, 1).</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static SigmoidNoiseSchedule OfBetas(int timesteps = 1000, double betaStart = 1e-4, double betaEnd = 0.02)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        VarianceTables.Beta(betaStart, nameof(betaStart));
        VarianceTables.Beta(betaEnd, nameof(betaEnd));
        return new(VarianceTables.FromBetas(VarianceTables.Linspace(-Steepest, Steepest, timesteps).Select(v => (Sigmoid(v) * (betaEnd - betaStart)) + betaStart)));
    }

    private static Func<double, double> Formula(double start, double end, double temperature)
    {
        if (!(double.IsFinite(start) && double.IsFinite(end) && start < end))
        {
            throw new ArgumentOutOfRangeException(nameof(end), end, FormattableString.Invariant($"The end must be a finite number above the start, {start:R}."));
        }

        if (!double.IsFinite(temperature) || temperature <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "The temperature must be a finite number above 0.");
        }

        var first = Sigmoid(start / temperature);
        var last = Sigmoid(end / temperature);
        return u => (last - Sigmoid(((u * (end - start)) + start) / temperature)) / (last - first);
    }

    private static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));
}
