namespace Diffusion;

/// <summary>A spacing from a formula.</summary>
internal sealed class LevelSpacing(string name, Func<INoiseSchedule, int?, IReadOnlyList<NoiseLevel>> levels) : StepSpacing
{
    public override string Name => name;

    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return levels(schedule, steps);
    }
}
