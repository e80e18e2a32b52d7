namespace Diffusion;

/// <summary>The variance-preserving stochastic differential equation in T timesteps: ᾱ(u) = exp(−½·(β_max − β_min)·u² − β_min·u), u_t = (t + 1)/T.</summary>
/// <remarks>Score-Based Generative Modeling through Stochastic Differential Equations, arXiv:2011.13456, Eq. 32 and 33: β_min = 0.1, β_max = 20.</remarks>
internal sealed class VpSdeNoiseSchedule : TabulatedNoiseSchedule
{
    /// <summary>Makes the schedule.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="betaMin">The rate at which noise is added at u = 0, above 0.</param>
    /// <param name="betaMax">The rate at u = 1, at least <paramref name="betaMin"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public VpSdeNoiseSchedule(int timesteps = 1000, double betaMin = 0.1, double betaMax = 20)
        : base(Tables(timesteps, betaMin, betaMax))
    {
    }

    private static (double[] Betas, double[] AlphaBars) Tables(int timesteps, double betaMin, double betaMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        if (!double.IsFinite(betaMin) || betaMin <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(betaMin), betaMin, "The smallest rate must be a finite number above 0.");
        }

        if (!double.IsFinite(betaMax) || betaMax < betaMin)
        {
            throw new ArgumentOutOfRangeException(nameof(betaMax), betaMax, FormattableString.Invariant($"The largest rate must be a finite number, at least the smallest, {betaMin:R}."));
        }

        return VarianceTables.FromAlphaBars(Enumerable.Range(1, timesteps).Select(t =>
        {
            var u = (double)t / timesteps;
            return Math.Exp((-0.5 * (betaMax - betaMin) * u * u) - (betaMin * u));
        }));
    }
}
