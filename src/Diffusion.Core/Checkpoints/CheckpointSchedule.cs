namespace Diffusion;

/// <summary>What a checkpoint says of the noise schedule of its run.</summary>
/// <param name="Name">The name of its type.</param>
/// <param name="Timesteps">T.</param>
/// <param name="Levels">α and σ, in turn, at 5 timesteps from the first to the last.</param>
internal sealed record CheckpointSchedule(string Name, int Timesteps, IReadOnlyList<double> Levels)
{
    private const double Tolerance = 1e-6; // another machine's logarithms and roots may differ in their last digits

    internal static CheckpointSchedule Of(INoiseSchedule schedule) =>
        new(schedule.GetType().Name, schedule.Timesteps, [.. Compared(schedule).SelectMany(level => new[] { level.Alpha, level.Sigma })]);

    /// <summary>Skip, Out and In of a parameterization, in turn, at the same timesteps; 0 where one is not finite.</summary>
    internal static IReadOnlyList<double> Coefficients(Parameterization parameterization, INoiseSchedule schedule) =>
        [.. Compared(schedule).Select(parameterization.At).SelectMany(at => new[] { at.Skip, at.Out, at.In }).Select(value => double.IsFinite(value) ? value : 0)];

    internal static bool AreSame(IReadOnlyList<double> one, IReadOnlyList<double> other) =>
        one.Count == other.Count && one.Zip(other).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance * Math.Max(1, Math.Abs(pair.First)));

    internal bool Same(CheckpointSchedule other) => Timesteps == other.Timesteps && AreSame(Levels, other.Levels);

    /// <summary>The levels that are compared.</summary>
    internal static IEnumerable<NoiseLevel> Compared(INoiseSchedule schedule) =>
        Enumerable.Range(0, 5).Select(quarter => schedule.LevelAt((int)((long)(schedule.Timesteps - 1) * quarter / 4)));
}
