namespace Diffusion;

/// <summary>The schedule of latent diffusion models: √β grows evenly from the first to the last timestep.</summary>
/// <remarks>High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, and its published configurations: β from 8.5e-4 to 0.012.</remarks>
internal sealed class ScaledLinearNoiseSchedule : TabulatedNoiseSchedule
{
    /// <summary>Makes the schedule; nothing is scaled with T.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default. With T = 1 the only β is <paramref name="betaStart"/>.</param>
    /// <param name="betaStart">β₀, in (0, 1).</param>
    /// <param name="betaEnd">The last β, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">No timesteps, or a β outside (0, 1).</exception>
    public ScaledLinearNoiseSchedule(int timesteps = 1000, double betaStart = 0.00085, double betaEnd = 0.012)
        : base(Tables(timesteps, betaStart, betaEnd))
    {
    }

    private static (double[] Betas, double[] AlphaBars) Tables(int timesteps, double betaStart, double betaEnd)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        var first = Math.Sqrt(VarianceTables.Beta(betaStart, nameof(betaStart)));
        var last = Math.Sqrt(VarianceTables.Beta(betaEnd, nameof(betaEnd)));
        return VarianceTables.FromBetas(VarianceTables.Linspace(first, last, timesteps).Select(root => root * root));
    }
}
