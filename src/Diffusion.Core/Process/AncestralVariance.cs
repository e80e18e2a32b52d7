using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The logarithm of the variance of a reverse step, for every <see cref="ReverseVariance"/>.</summary>
internal static class AncestralVariance
{
    /// <summary>ln β̃ and ln β between two levels; in the step to the clean image, where β̃ is 0, those of the step before it.</summary>
    public static (double Small, double Large) LogBounds(INoiseSchedule schedule, NoiseLevel from, NoiseLevel to)
    {
        var posterior = Posterior.Between(from, to);
        var added = posterior.ImageWeight * from.Sigma * from.Sigma / to.Alpha;
        var small = posterior.Variance > 0 || schedule.Timesteps < 2
            ? posterior.Variance
            : Posterior.Between(schedule.LevelAt(1), schedule.LevelAt(0)).Variance;
        return (Math.Log(small), Math.Log(added));
    }

    /// <summary>The logarithm of the variance for a learned output.</summary>
    /// <param name="kind">Learned or learned range.</param>
    /// <param name="bounds">ln β̃ and ln β.</param>
    /// <param name="output">The network's second output.</param>
    /// <returns>The shape of the output, for the caller to dispose.</returns>
    public static Tensor Log(ReverseVariance kind, (double Small, double Large) bounds, Tensor output)
    {
        if (kind == ReverseVariance.Learned)
        {
            return output.alias();
        }

        using var half = ((bounds.Large - bounds.Small) / 2).ToScalar();
        using var middle = ((bounds.Large + bounds.Small) / 2).ToScalar();
        using var halved = output * half;
        return halved.Plus(middle);
    }
}
