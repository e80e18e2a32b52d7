namespace Diffusion;

/// <summary>
/// A spacing that places levels by their σ/α. Where the schedule's last timestep is pure noise, whose ratio is infinite, it comes first
/// and the ramp begins at the timestep before it.
/// </summary>
/// <remarks>arXiv:2206.00364, section 3: levels are chosen by σ of x/α, whatever the schedule.</remarks>
/// <param name="name">The name.</param>
/// <param name="ramp">From the smallest ratio, the largest and a count to the ratios, largest first.</param>
internal sealed class RatioSpacing(string name, Func<double, double, int, double[]> ramp) : StepSpacing
{
    public override string Name => name;

    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var count = steps ?? schedule.Timesteps;
        var max = schedule.LevelAt(schedule.Timesteps - 1);
        if (max.Alpha > 0)
        {
            return [.. ramp(Min(schedule), max.Ratio, count).Select(schedule.LevelWithRatio), NoiseLevel.Clean];
        }

        if (count == 1)
        {
            return [max, NoiseLevel.Clean];
        }

        if (schedule.Timesteps < 3)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The spacing '{name}' needs two levels with image and noise; the schedule has {schedule.Timesteps - 1}.");
        }

        return [max, .. ramp(Min(schedule), schedule.LevelAt(schedule.Timesteps - 2).Ratio, count - 1).Select(schedule.LevelWithRatio), NoiseLevel.Clean];
    }

    private static double Min(INoiseSchedule schedule) => schedule.LevelAt(0).Ratio;
}
