using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Stands for a network that is told labels where none are bound and there is no null label: it says so when it is run.</summary>
internal sealed class UnboundDenoiser(ConditionalDenoiser network) : IDenoiser
{
    public INoiseSchedule Schedule => network.Schedule;

    public Device Device => network.Device;

    public Tensor Denoise(Tensor noisy, NoiseLevel level) => throw new InvalidOperationException(
        "The network is told labels and has none that stands for \"no label\": bind labels, trainer.Averaged(trainer.Conditional.With(labels)).");
}
