using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// Data of which everything is known: every pixel on its own is drawn from two Gaussians, dark and light. The denoiser is the exact posterior mean, and a
/// deterministic path keeps the rank of a pixel, so its exact end is the quantile of the data.
/// </summary>
internal sealed class MixtureDenoiser(INoiseSchedule schedule) : IDenoiser
{
    private static readonly (double Weight, double Mean, double Deviation)[] Parts = [(0.6, -0.8, 0.15), (0.4, 0.7, 0.2)];

    public INoiseSchedule Schedule => schedule;

    public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        using var scope = NewDisposeScope();
        var logs = new Tensor[Parts.Length];
        var means = new Tensor[Parts.Length];
        for (var k = 0; k < Parts.Length; k++)
        {
            var (weight, mean, deviation) = Parts[k];
            var variance = (level.Alpha * level.Alpha * deviation * deviation) + (level.Sigma * level.Sigma);
            var distance = noisy - (level.Alpha * mean);
            logs[k] = (distance * distance * (-0.5 / variance)) + Math.Log(weight / Math.Sqrt(variance));
            means[k] = (distance * (level.Alpha * deviation * deviation / variance)) + mean;
        }

        return new Prediction((stack(logs).softmax(0) * stack(means)).sum(dim: 0).MoveToOuterDisposeScope());
    }

    /// <summary>The value below which the share <paramref name="share"/> of the pixels lies.</summary>
    public static double Quantile(double share)
    {
        var (low, high) = (-3.0, 3.0);
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Parts.Sum(part => part.Weight * Normal.Distribution((middle - part.Mean) / part.Deviation)) < share ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }
}
