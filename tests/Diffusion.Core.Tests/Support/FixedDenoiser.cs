using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Predicts the same image, and the same variance if it has one, whatever it is given. Counts its calls.</summary>
internal sealed class FixedDenoiser(Tensor image, Tensor? variance = null, INoiseSchedule? schedule = null) : IDenoiser
{
    public INoiseSchedule Schedule { get; } = schedule ?? new LinearNoiseSchedule();

    public int Calls { get; private set; }

    public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        Calls++;
        return new(image.clone(), variance?.clone());
    }
}
