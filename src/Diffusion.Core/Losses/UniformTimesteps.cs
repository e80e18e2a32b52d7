using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Every timestep alike.</summary>
internal sealed class UniformTimesteps : TimestepDistribution
{
    public override string Name => "uniform";

    public override TimestepDraw Draw(INoiseSchedule schedule, int count, Generator generator, LossHistory? history = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var timesteps = randint(schedule.Timesteps, [count], ScalarType.Int64, generator: generator);
        return TimestepDraw.At(schedule, [.. timesteps.data<long>().ToArray().Select(t => (int)t)]);
    }
}
