namespace Diffusion.Models;

/// <summary>The levels of leading timesteps that steps_offset moves beyond the last one: np.interp of diffusers has the last σ there, and the network is told the timestep as it is.</summary>
internal static class OffsetTable
{
    public static NoiseLevel At(INoiseSchedule schedule, double timestep)
    {
        var last = schedule.LevelAt(schedule.Timesteps - 1);
        return new NoiseLevel(last.Alpha, last.Sigma, timestep);
    }

    /// <summary>The levels of a solver, which divides by their distances.</summary>
    /// <exception cref="ArgumentException">Two of them are the last one.</exception>
    public static NoiseLevel[] Levels(SchedulerConfig config, INoiseSchedule schedule, IReadOnlyList<int> timesteps, int count)
    {
        var last = schedule.Timesteps - 1;
        return timesteps.Count(t => t >= last) > 1
            ? throw TwoAtTheLast(config, count, last)
            : [.. timesteps.Select(t => t > last ? At(schedule, t) : schedule.LevelAt(t))];
    }

    /// <summary>The error of two steps at the last σ.</summary>
    public static ArgumentException TwoAtTheLast(SchedulerConfig config, int count, int last) => new(
        $"{config.ClassName}: \"steps_offset\" is {config.Offset}, with which two or more of {count} steps begin at or beyond the last timestep, {last}, and the solver divides by the distance of their σ, 0. Take fewer steps or a smaller offset.",
        nameof(count));
}
