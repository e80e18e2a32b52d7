using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A denoiser from a formula.</summary>
public sealed class FunctionDenoiser : IDenoiser
{
    private readonly Func<Tensor, NoiseLevel, Tensor> _image;

    /// <summary>Makes the denoiser.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="image">From the noisy images and their level to x̂₀.</param>
    public FunctionDenoiser(INoiseSchedule schedule, Func<Tensor, NoiseLevel, Tensor> image) => (Schedule, _image) = (schedule, image);

    /// <inheritdoc/>
    public INoiseSchedule Schedule { get; }

    /// <inheritdoc/>
    public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        using var scope = NewDisposeScope();
        return new(_image(noisy, level).MoveToOuterDisposeScope());
    }
}
