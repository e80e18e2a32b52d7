namespace Diffusion;

/// <summary>Levels between the timesteps of a schedule that is only known at whole ones.</summary>
/// <remarks>
/// Interpolating ln(σ/α) linearly in the timestep is what k-diffusion and diffusers do to find the timestep of a noise level.
/// √(α² + σ²) is interpolated alike, so a variance-preserving schedule stays one.
/// </remarks>
internal static class Interpolation
{
    public static NoiseLevel LevelAt(INoiseSchedule schedule, double timestep)
    {
        if (!(timestep >= 0 && timestep <= schedule.Timesteps - 1))
        {
            throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {schedule.Timesteps - 1}].");
        }

        var below = (int)Math.Floor(timestep);
        var share = timestep - below;
        return share == 0 ? schedule.LevelAt(below) : Between(schedule.LevelAt(below), schedule.LevelAt(below + 1), share);
    }

    public static NoiseLevel LevelWithRatio(INoiseSchedule schedule, double ratio)
    {
        if (!double.IsFinite(ratio) || ratio <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The noise-to-signal ratio must be a finite number above 0.");
        }

        var low = 0;
        var high = schedule.Timesteps - 1;
        var min = schedule.LevelAt(low);
        if (ratio <= min.Ratio)
        {
            return Scaled(min, ratio);
        }

        var max = schedule.LevelAt(high);
        if (ratio >= max.Ratio)
        {
            return Scaled(max, ratio);
        }

        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            if (schedule.LevelAt(middle).Ratio <= ratio)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        var below = schedule.LevelAt(low);
        var above = schedule.LevelAt(high);
        if (double.IsInfinity(above.Ratio))
        {
            return Scaled(below, ratio); // nothing lies between a level and pure noise on a logarithmic scale
        }

        return Between(below, above, (Math.Log(ratio) - Math.Log(below.Ratio)) / (Math.Log(above.Ratio) - Math.Log(below.Ratio)));
    }

    private static NoiseLevel Between(NoiseLevel below, NoiseLevel above, double share)
    {
        var timestep = below.Timestep + (share * (above.Timestep - below.Timestep));
        if (above.Alpha == 0 || below.Sigma == 0)
        {
            // ln(σ/α) is infinite at one end: α and σ themselves are interpolated.
            return new NoiseLevel(Mix(below.Alpha, above.Alpha, share), Mix(below.Sigma, above.Sigma, share), timestep);
        }

        var ratio = Math.Exp(Mix(Math.Log(below.Ratio), Math.Log(above.Ratio), share));
        var scale = Math.Exp(Mix(Math.Log(below.Scale), Math.Log(above.Scale), share));
        return NoiseLevel.FromRatio(ratio, scale, timestep);
    }

    private static NoiseLevel Scaled(NoiseLevel end, double ratio) => NoiseLevel.FromRatio(ratio, end.Scale, end.Timestep);

    private static double Mix(double from, double to, double share) => from + (share * (to - from));
}
