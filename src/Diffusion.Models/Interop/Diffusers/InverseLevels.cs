namespace Diffusion.Models;

/// <summary>The levels of DPMSolverMultistepInverseScheduler, from the schedule's first to its noisiest: each step begins at a level with that level's timestep.</summary>
internal static class InverseLevels
{
    public static IReadOnlyList<NoiseLevel> Of(SchedulerConfig config, INoiseSchedule schedule, int count, Func<double, double, StepSpacing?> ramp)
    {
        if (ramp(schedule.LevelAt(0).Ratio, schedule.LevelAt(schedule.Timesteps - 1).Ratio) is { } spacing)
        {
            // Karras's timesteps are rounded, the others cut off. The last step, between equal levels, changes nothing.
            var cut = !config.Flag("use_karras_sigmas");
            NoiseLevel[] levels =
            [
                .. spacing.Levels(schedule, count).SkipLast(1).Reverse()
                    .Select(level => new NoiseLevel(level.Alpha, level.Sigma, cut ? Math.Floor(level.Timestep) : Math.Round(level.Timestep))),
            ];
            return [.. levels, levels[^1]];
        }

        var noisiest = Noisiest(config, schedule);
        IEnumerable<int> timesteps = config.Spacing switch
        {
            "linspace" => Enumerable.Range(0, count).Select(i => (int)Math.Round(i * ((double)noisiest / count))),
            "leading" => Enumerable.Range(0, count).Select(i => (i * ((noisiest + 1) / (count + 1))) + config.Offset),
            "trailing" => Enumerable.Range(0, count).Select(i => (int)Math.Round(noisiest + 1 - ((count - 1 - i) * ((double)config.Timesteps / count))) - 1),
            var other => throw config.Unknown("timestep_spacing", other, "leading, linspace, trailing"),
        };
        return [.. OffsetTable.Levels(config, schedule, [.. timesteps.Distinct()], count), schedule.LevelAt(noisiest)];
    }

    /// <summary>The last timestep whose λ is not clipped.</summary>
    private static int Noisiest(SchedulerConfig config, INoiseSchedule schedule)
    {
        var noisiest = config.Timesteps - 1;
        var clip = config.NumberOrInfinity("lambda_min_clipped") ?? double.NegativeInfinity;
        while (noisiest > 0 && schedule.LevelAt(noisiest).HalfLogSnr < clip)
        {
            noisiest--;
        }

        return noisiest;
    }
}
