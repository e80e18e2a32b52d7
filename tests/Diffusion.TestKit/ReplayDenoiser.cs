using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A denoiser that answers with recorded network outputs, in order, and remembers what it was asked.</summary>
public sealed class ReplayDenoiser : IDenoiser
{
    private readonly Tensor _outputs;
    private readonly Parameterization _parameterization;
    private readonly Action<int, Tensor, NoiseLevel>? _onCall;

    /// <summary>Makes the denoiser.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="parameterization">What the outputs mean.</param>
    /// <param name="outputs">[calls, B, C or 2·C, H, W]; the caller keeps owning it.</param>
    /// <param name="onCall">Told the number of the call, the noisy images and the level.</param>
    public ReplayDenoiser(INoiseSchedule schedule, Parameterization parameterization, Tensor outputs, Action<int, Tensor, NoiseLevel>? onCall = null)
    {
        Schedule = schedule;
        _parameterization = parameterization;
        _outputs = outputs;
        _onCall = onCall;
    }

    /// <inheritdoc/>
    public INoiseSchedule Schedule { get; }

    /// <summary>How many outputs were used.</summary>
    public int Calls { get; private set; }

    /// <inheritdoc/>
    public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        _onCall?.Invoke(Calls, noisy, level);
        var output = _outputs[Calls++].to(noisy.dtype);
        var channels = noisy.shape[1];
        return output.shape[1] == channels
            ? new(_parameterization.ToImage(noisy, output, [level]))
            : new(_parameterization.ToImage(noisy, output.narrow(1, 0, channels), [level]), output.narrow(1, channels, channels).clone());
    }
}
