using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// The network with its averaged weights: they are put into the network for the time of a call and the trained weights put back after it,
/// so that no second network is needed. Calls exclude each other and training steps.
/// </summary>
internal sealed class EmaDenoiser(IDenoiser denoiser, Tensor weights, Tensor average, Lock exclusive) : ISelfConditionedDenoiser
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
            return ExchangedWeights.Run(weights, average, predict);
        }
    }
}
