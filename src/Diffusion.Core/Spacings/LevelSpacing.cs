namespace Diffusion;

/// <summary>A spacing from a formula.</summary>
/// <remarks>The formulas are at its callers: arXiv:2305.08891, table 2, for those in timesteps.</remarks>
internal sealed class LevelSpacing(string name, Func<INoiseSchedule, int?, IReadOnlyList<NoiseLevel>> levels) : StepSpacing
{
    public override string Name => name;

    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return levels(schedule, steps);
    }
}
