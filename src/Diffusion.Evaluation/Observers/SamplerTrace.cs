using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Tells a sampler from others of its type, whatever their options are: by what it draws.</summary>
internal static class SamplerTrace
{
    private const int Values = 4;

    /// <summary>The first values of an image that the sampler draws where all images are standard normal noise, whose exact denoiser is known; to three decimals, so that another processor gives the same.</summary>
    /// <param name="sampler">The sampler.</param>
    /// <param name="network">Whose schedule and device it draws with.</param>
    /// <param name="shape">The images.</param>
    public static string Of(Sampler sampler, IDenoiser network, ImageShape shape)
    {
        using var scope = NewDisposeScope();
        var drawn = sampler.Sample(new NormalImages(network), shape.Batch(1), seed: 0).cpu().flatten();
        return string.Join(' ', drawn.data<float>().Take(Values).Select(value => value.ToString("F3", CultureInfo.InvariantCulture)));
    }

    private sealed class NormalImages(IDenoiser network) : IDenoiser
    {
        public INoiseSchedule Schedule => network.Schedule;

        public Device Device => network.Device;

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
        {
            using var share = (level.Alpha / (level.Scale * level.Scale)).ToScalar();
            return new(noisy * share);
        }
    }
}
