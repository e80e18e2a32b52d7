namespace Diffusion.Tests;

/// <summary>The sigmoid schedule with its two end points rounded to single precision, as lucidrains/denoising-diffusion-pytorch has it: docs/parity.md.</summary>
internal static class PeerSigmoid
{
    public static BetaNoiseSchedule Schedule(int timesteps, double start = -3, double end = 3, double temperature = 1)
    {
        var (first, last) = ((double)(float)Sigmoid(start / temperature), (double)(float)Sigmoid(end / temperature));
        return new(Enumerable.Range(0, timesteps).Select(t => Math.Min(1 - (AlphaBar((t + 1.0) / timesteps) / AlphaBar((double)t / timesteps)), 0.999)));

        double AlphaBar(double time) => (last - Sigmoid((start + (time * (end - start))) / temperature)) / (last - first);
    }

    private static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));
}
