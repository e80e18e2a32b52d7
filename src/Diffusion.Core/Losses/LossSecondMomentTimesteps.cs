using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Timesteps by the probabilities of the run's history, each image weighed by 1/(T·p).</summary>
internal sealed class LossSecondMomentTimesteps(int losses, double uniformShare) : TimestepDistribution
{
    public override string Name => "loss-second-moment";

    internal override string Description => FormattableString.Invariant($"{Name} {losses} {uniformShare:R}");

    public override LossHistory? NewHistory(INoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return new(schedule.Timesteps, losses, uniformShare);
    }

    public override TimestepDraw Draw(INoiseSchedule schedule, int count, Generator generator, LossHistory? history = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        if (history is null || history.Timesteps != schedule.Timesteps)
        {
            throw new ArgumentException(
                $"Sampling by losses needs the history of {schedule.Timesteps} timesteps that NewHistory makes; there is {(history is null ? "none" : $"one of {history.Timesteps}")}.", nameof(history));
        }

        var probabilities = history.Probabilities();
        var timesteps = UniformDraws.Of(count, generator, stratified: false).Select(u => Find(probabilities, u)).ToArray();
        return TimestepDraw.At(schedule, timesteps, [.. timesteps.Select(t => 1 / (schedule.Timesteps * probabilities[t]))]);
    }

    /// <summary>The first timestep at which the sum of the probabilities passes u.</summary>
    private static int Find(double[] probabilities, double u)
    {
        var t = 0;
        for (var sum = probabilities[0]; sum <= u && t < probabilities.Length - 1; sum += probabilities[t])
        {
            t++;
        }

        return t;
    }
}
