namespace Diffusion;

/// <summary>What a checkpoint says of the noise schedule of its run.</summary>
/// <param name="Name">The name of its type.</param>
/// <param name="Timesteps">T.</param>
/// <param name="Levels">α and σ, in turn, at 5 timesteps from the first to the last.</param>
internal sealed record CheckpointSchedule(string Name, int Timesteps, IReadOnlyList<double> Levels)
{
    private const double Tolerance = 1e-6; // another machine's logarithms and roots may differ in their last digits

    internal static CheckpointSchedule Of(INoiseSchedule schedule)
    {
        int[] timesteps = [.. Enumerable.Range(0, 5).Select(quarter => (int)((long)(schedule.Timesteps - 1) * quarter / 4))];
        return new(schedule.GetType().Name, schedule.Timesteps, [.. timesteps.Select(schedule.LevelAt).SelectMany(level => new[] { level.Alpha, level.Sigma })]);
    }

    internal bool Same(CheckpointSchedule other) => Timesteps == other.Timesteps && Levels.Count == other.Levels.Count
        && Levels.Zip(other.Levels).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance * Math.Max(1, Math.Abs(pair.First)));
}
