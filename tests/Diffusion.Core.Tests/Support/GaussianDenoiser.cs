using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>The exact denoiser of data whose every pixel is N(mean, deviation²): x̂₀ is linear in x_t.</summary>
internal sealed class GaussianDenoiser(INoiseSchedule schedule, double mean = 0.3, double deviation = 0.5) : IDenoiser
{
    public INoiseSchedule Schedule => schedule;

    public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        var variance = deviation * deviation;
        var gain = level.Alpha * variance / ((level.Alpha * level.Alpha * variance) + (level.Sigma * level.Sigma));
        return new(noisy * gain + (mean - (gain * level.Alpha * mean)));
    }
}
