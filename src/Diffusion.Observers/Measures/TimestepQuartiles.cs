namespace Diffusion.Observers;

/// <summary>
/// Tells in which quarter of a schedule's timesteps a noise level lies: a loss is large at one end and small at the other, so that its mean over a batch says
/// little. Decided by σ/α, which grows with the timestep in every schedule; what the network is conditioned on may be a function of the noise instead.
/// </summary>
public sealed class TimestepQuartiles
{
    /// <summary>4.</summary>
    public const int Count = 4;

    private readonly double[] _beginnings;

    /// <summary>Finds where the quarters begin.</summary>
    /// <param name="schedule">The schedule of the run. With fewer than four timesteps some quarters are empty.</param>
    public TimestepQuartiles(INoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        _beginnings = [.. Enumerable.Range(1, Count - 1)
            .Select(quarter => (int)((((long)quarter * schedule.Timesteps) + Count - 1) / Count))
            .Where(timestep => timestep < schedule.Timesteps)
            .Select(timestep => schedule.LevelAt(timestep).Ratio)];
    }

    /// <summary>The quarter of a level.</summary>
    /// <param name="level">A level of the schedule, between its timesteps or beyond its ends.</param>
    /// <returns>From 0, the least noise, to 3, the most.</returns>
    public int Of(NoiseLevel level) => _beginnings.Count(beginning => level.Ratio >= beginning);

    /// <summary>The mean loss of a step's images in each quarter.</summary>
    /// <param name="step">The step.</param>
    /// <returns>Four means, from the least noise to the most; <see langword="null"/> where the batch has no image in the quarter.</returns>
    public IReadOnlyList<double?> Means(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var (sums, counts) = Sums(step);
        return [.. sums.Zip(counts, (sum, count) => count == 0 ? (double?)null : sum / count)];
    }

    internal (double[] Sums, int[] Counts) Sums(TrainingStep step)
    {
        var (sums, counts) = (new double[Count], new int[Count]);
        foreach (var (loss, level) in step.ImageLosses.Zip(step.Levels))
        {
            var quarter = Of(level);
            sums[quarter] += loss;
            counts[quarter]++;
        }

        return (sums, counts);
    }
}
