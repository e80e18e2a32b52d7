using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>The exact denoiser of data whose every pixel is N(mean, deviation²): x̂₀ is linear in x_t.</summary>
internal sealed class GaussianDenoiser(INoiseSchedule schedule, double mean = 0.3, double deviation = 0.5) : IDenoiser
{
    public INoiseSchedule Schedule => schedule;

    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var variance = deviation * deviation;
        var gain = level.Alpha * variance / ((level.Alpha * level.Alpha * variance) + (level.Sigma * level.Sigma));
        return noisy * gain + (mean - (gain * level.Alpha * mean));
    }
}
