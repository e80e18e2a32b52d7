using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Whole timesteps at a given quantile function of the position along the schedule.</summary>
internal sealed class QuantileTimesteps(string name, Func<double, double> quantile, bool stratified) : TimestepDistribution
{
    public override string Name => name;

    internal override string Description => SigmaDensity.Describe(name, quantile, stratified);

    public override TimestepDraw Draw(INoiseSchedule schedule, int count, Generator generator, LossHistory? history = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var draws = UniformDraws.Of(count, generator, stratified);
        return TimestepDraw.At(schedule, [.. draws.Select(u => Math.Min((int)(quantile(u) * schedule.Timesteps), schedule.Timesteps - 1))]);
    }
}
