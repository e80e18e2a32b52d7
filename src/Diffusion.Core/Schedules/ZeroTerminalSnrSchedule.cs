namespace Diffusion;

/// <summary>
/// Another schedule, shifted and scaled so that the signal-to-noise ratio of the last timestep is 0, while the first keeps its level.
/// The last level has α = 0, where ε does not determine x₀: train <see cref="Parameterization.Velocity"/>, image or flow, not ε.
/// </summary>
/// <remarks>Common Diffusion Noise Schedules and Sample Steps Are Flawed, arXiv:2305.08891, algorithm 1: √ᾱ is shifted by its last value and scaled.</remarks>
internal sealed class ZeroTerminalSnrSchedule : TabulatedNoiseSchedule
{
    /// <summary>Wraps a schedule.</summary>
    /// <param name="schedule">A variance-preserving schedule of at least 2 timesteps.</param>
    /// <exception cref="ArgumentException">The schedule has one timestep only.</exception>
    public ZeroTerminalSnrSchedule(TabulatedNoiseSchedule schedule)
        : base(Tables(schedule))
    {
    }

    private static (double[] Betas, double[] AlphaBars) Tables(TabulatedNoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        if (schedule.Timesteps < 2)
        {
            throw new ArgumentException("Zero terminal signal-to-noise needs at least 2 timesteps; the schedule has 1.", nameof(schedule));
        }

        var first = Math.Sqrt(schedule.AlphaBars[0]);
        var last = Math.Sqrt(schedule.AlphaBars[^1]);
        return VarianceTables.FromAlphaBars(schedule.AlphaBars.Select(alphaBar => Math.Pow((Math.Sqrt(alphaBar) - last) * first / (first - last), 2)));
    }
}
