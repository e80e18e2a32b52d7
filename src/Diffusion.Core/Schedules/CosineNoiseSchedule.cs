namespace Diffusion;

/// <summary>The cosine schedule: ᾱ(u) = cos²((u + s)/(1 + s)·π/2)/cos²(s/(1 + s)·π/2), with u from 0 to 1.</summary>
/// <remarks>
/// Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 17: β_t = min(1 − ᾱ((t+1)/T)/ᾱ(t/T), 0.999).
/// <see cref="Uncapped"/> is the formula for ᾱ itself, without the cap: its last level has no image left.
/// </remarks>
internal sealed class CosineNoiseSchedule : TabulatedNoiseSchedule
{
    private const double PaperOffset = 0.008;

    /// <summary>The schedule of the paper, by its βs.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="offset">s, at least 0: keeps the first βs from vanishing.</param>
    /// <param name="maxBeta">The largest β, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public CosineNoiseSchedule(int timesteps = 1000, double offset = PaperOffset, double maxBeta = VarianceTables.PaperMaxBeta)
        : base(VarianceTables.FromAlphaBar(timesteps, Formula(offset), maxBeta))
    {
    }

    private CosineNoiseSchedule((double[] Betas, double[] AlphaBars) tables)
        : base(tables)
    {
    }

    /// <summary>ᾱ_t = ᾱ((t+1)/T) exactly: zero signal at the last timestep, so not for <see cref="Parameterization.Epsilon"/>.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="offset">s, at least 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static CosineNoiseSchedule Uncapped(int timesteps = 1000, double offset = PaperOffset)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        var alphaBar = Formula(offset);
        return new(VarianceTables.FromAlphaBars(Enumerable.Range(1, timesteps).Select(t => t == timesteps ? 0 : alphaBar((double)t / timesteps))));
    }

    private static Func<double, double> Formula(double offset)
    {
        if (!double.IsFinite(offset) || offset < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, "The offset must be a finite number, at least 0.");
        }

        var whole = Math.Pow(Math.Cos(offset / (1 + offset) * Math.PI / 2), 2);
        return u => Math.Pow(Math.Cos((u + offset) / (1 + offset) * Math.PI / 2), 2) / whole;
    }
}
