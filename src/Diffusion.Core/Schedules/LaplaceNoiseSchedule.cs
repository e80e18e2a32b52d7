namespace Diffusion;

/// <summary>
/// The Laplace schedule: the logarithm of the signal-to-noise ratio follows a Laplace distribution over the timesteps, so that most of them
/// lie where image and noise are about equal.
/// </summary>
/// <remarks>
/// Improved Noise Schedule for Diffusion Training, arXiv:2407.03297, table 1: ln SNR(u) = μ − b·sgn(½ − u)·ln(1 − 2|u − ½|);
/// here u_t = (t + ½)/T, the middle of each of T equal parts, where the formula is finite.
/// </remarks>
internal sealed class LaplaceNoiseSchedule : TabulatedNoiseSchedule
{
    /// <summary>Makes the schedule.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="mean">μ, the ln SNR about which the levels gather.</param>
    /// <param name="scale">b, above 0: how widely they spread.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public LaplaceNoiseSchedule(int timesteps = 1000, double mean = 0, double scale = 0.5)
        : base(Tables(timesteps, mean, scale))
    {
    }

    private static (double[] Betas, double[] AlphaBars) Tables(int timesteps, double mean, double scale)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        if (!double.IsFinite(mean))
        {
            throw new ArgumentOutOfRangeException(nameof(mean), mean, "The mean must be a finite number.");
        }

        if (!double.IsFinite(scale) || scale <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(scale), scale, "The scale must be a finite number above 0.");
        }

        return VarianceTables.FromAlphaBars(Enumerable.Range(0, timesteps).Select(t =>
        {
            var u = (t + 0.5) / timesteps;
            var logSnr = mean - (scale * Math.Sign(0.5 - u) * Math.Log(1 - (2 * Math.Abs(u - 0.5))));
            return 1 / (1 + Math.Exp(-logSnr));
        }));
    }
}
