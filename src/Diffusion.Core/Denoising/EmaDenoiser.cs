using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// The network with its averaged weights: its parameters look at them for the time of a call, so that no second network is needed. Calls exclude each other and
/// training steps.
/// </summary>
internal sealed class EmaDenoiser(IDenoiser denoiser, FlatParameters parameters, Tensor average, Lock exclusive) : ISelfConditionedDenoiser
{
    public INoiseSchedule Schedule => denoiser.Schedule;

    public Device Device => denoiser.Device;

    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    public Prediction Predict(Tensor noisy, NoiseLevel level) => Averaged(() => denoiser.Predict(noisy, level));

    public Prediction Predict(Tensor noisy, NoiseLevel level, Tensor? estimate) =>
        Averaged(() => denoiser is ISelfConditionedDenoiser inner ? inner.Predict(noisy, level, estimate) : denoiser.Predict(noisy, level));

    private Prediction Averaged(Func<Prediction> predict)
    {
        lock (exclusive)
        {
            return parameters.With(average, predict);
        }
    }
}
