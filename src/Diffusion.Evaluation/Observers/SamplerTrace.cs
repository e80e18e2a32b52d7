using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Tells a sampler from others of its type, whatever their options are: by what it draws.</summary>
internal static class SamplerTrace
{
    private const int Values = 4;
    private const double Tolerance = 1e-2; // another processor rounds otherwise, and another setting draws something else

    /// <summary>The first values that the sampler draws where all images are standard normal noise, whose exact denoiser is known.</summary>
    /// <param name="sampler">The sampler.</param>
    /// <param name="network">Whose schedule and device it draws with.</param>
    /// <param name="batch">The shape of a batch, [B, C, H, W].</param>
    public static IReadOnlyList<double> Of(Sampler sampler, IDenoiser network, ReadOnlySpan<long> batch)
    {
        using var scope = NewDisposeScope();
        var drawn = sampler.Sample(new NormalImages(network), batch, seed: 0).cpu().flatten();
        return [.. drawn.data<float>().Take(Values).Select(value => Math.Round(value, 4))];
    }

    /// <summary>Whether two samplers draw the same.</summary>
    public static bool AreSame(IReadOnlyList<double> one, IReadOnlyList<double> other) => one.Count == other.Count && one.Zip(other).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance);

    private sealed class NormalImages(IDenoiser network) : IDenoiser
    {
        public INoiseSchedule Schedule => network.Schedule;

        public Device Device => network.Device;

        /// <summary>With a variance, for samplers that need one.</summary>
        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
        {
            using var share = (level.Alpha / (level.Scale * level.Scale)).ToScalar();
            return new(noisy * share, zeros_like(noisy));
        }
    }
}
