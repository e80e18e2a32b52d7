namespace Diffusion;

/// <summary>The noise levels of one training batch.</summary>
/// <param name="Levels">One level an image.</param>
/// <param name="Weights">The importance weight of each image, which makes the mean loss that of evenly drawn timesteps; all 1 where the distribution is the objective itself.</param>
/// <param name="Timesteps">The timestep of each level, in [0, T); <see langword="null"/> where levels were drawn between the timesteps.</param>
public sealed record TimestepDraw(IReadOnlyList<NoiseLevel> Levels, IReadOnlyList<double> Weights, IReadOnlyList<int>? Timesteps = null)
{
    /// <summary>Levels of whole timesteps.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="timesteps">One an image, each in [0, T).</param>
    /// <param name="weights">The importance weights; all 1 by default.</param>
    /// <returns>The draw.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A timestep is outside [0, T).</exception>
    public static TimestepDraw At(INoiseSchedule schedule, IReadOnlyList<int> timesteps, IReadOnlyList<double>? weights = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(timesteps);
        return new([.. timesteps.Select(schedule.LevelAt)], weights ?? Ones(timesteps.Count), timesteps);
    }

    internal TimestepDraw Part(int first, int count) =>
        new([.. Levels.Skip(first).Take(count)], [.. Weights.Skip(first).Take(count)], Timesteps is null ? null : [.. Timesteps.Skip(first).Take(count)]);

    /// <summary>Several draws, one after the other.</summary>
    internal static TimestepDraw Of(IReadOnlyCollection<TimestepDraw> draws) => new(
        [.. draws.SelectMany(draw => draw.Levels)],
        [.. draws.SelectMany(draw => draw.Weights)],
        draws.All(draw => draw.Timesteps is not null) ? [.. draws.SelectMany(draw => draw.Timesteps!)] : null);

    internal static double[] Ones(int count)
    {
        var ones = new double[count];
        Array.Fill(ones, 1);
        return ones;
    }
}
