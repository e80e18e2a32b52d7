using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Counts the calls of a denoiser and passes everything on.</summary>
internal sealed class CountingDenoiser(IDenoiser inner) : ISelfConditionedDenoiser
{
    public int Calls { get; private set; }

    public INoiseSchedule Schedule => inner.Schedule;

    public Device Device => inner.Device;

    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        Calls++;
        return inner.Denoise(noisy, level);
    }

    public Prediction Predict(Tensor noisy, NoiseLevel level)
    {
        Calls++;
        return inner.Predict(noisy, level);
    }

    public Prediction Predict(Tensor noisy, NoiseLevel level, Tensor? estimate)
    {
        Calls++;
        return inner is ISelfConditionedDenoiser conditioned ? conditioned.Predict(noisy, level, estimate) : inner.Predict(noisy, level);
    }
}
