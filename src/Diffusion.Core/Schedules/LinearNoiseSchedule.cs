namespace Diffusion;

/// <summary>The linear schedule: β grows evenly from the first to the last timestep.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, section 4: T = 1000, β from 1e-4 to 0.02.</remarks>
internal sealed class LinearNoiseSchedule : TabulatedNoiseSchedule
{
    private const double PaperBetaStart = 1e-4;
    private const double PaperBetaEnd = 0.02;
    private const int PaperTimesteps = 1000;

    /// <summary>The paper's schedule: T = 1000, β from 1e-4 to 0.02.</summary>
    public LinearNoiseSchedule()
        : this(PaperTimesteps)
    {
    }

    /// <summary>The paper's schedule, with its βs scaled by 1000/T so that a shorter schedule destroys the image as thoroughly.</summary>
    /// <param name="timesteps">T, at least 21, below which the last β would reach 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 21 timesteps.</exception>
    public LinearNoiseSchedule(int timesteps)
        : this(
            timesteps >= 21 ? timesteps : throw new ArgumentOutOfRangeException(nameof(timesteps), timesteps, "The scaled schedule needs at least 21 timesteps; give betaStart and betaEnd for fewer."),
            PaperBetaStart * PaperTimesteps / timesteps,
            PaperBetaEnd * PaperTimesteps / timesteps)
    {
    }

    /// <summary>A linear schedule between exactly the given βs; nothing is scaled.</summary>
    /// <param name="timesteps">T, at least 1. With T = 1 the only β is <paramref name="betaStart"/>.</param>
    /// <param name="betaStart">β₀, in (0, 1).</param>
    /// <param name="betaEnd">The last β, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">No timesteps, or a β outside (0, 1).</exception>
    public LinearNoiseSchedule(int timesteps, double betaStart, double betaEnd)
        : base(Tables(timesteps, betaStart, betaEnd))
    {
    }

    private static (double[] Betas, double[] AlphaBars) Tables(int timesteps, double betaStart, double betaEnd)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        return VarianceTables.FromBetas(VarianceTables.Linspace(
            VarianceTables.Beta(betaStart, nameof(betaStart)), VarianceTables.Beta(betaEnd, nameof(betaEnd)), timesteps));
    }
}
