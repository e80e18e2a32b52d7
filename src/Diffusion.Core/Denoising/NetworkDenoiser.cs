using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A trained network as a denoiser. Runs it in evaluation mode and without gradients.</summary>
public sealed class NetworkDenoiser : IDenoiser
{
    private readonly nn.Module<Tensor, Tensor, Tensor> _network;

    /// <summary>Wraps a network; the caller keeps owning it.</summary>
    /// <param name="network">Takes the noisy images [B, C, H, W] and timesteps [B] (Int64; float32 where a sampler or the schedule asks for a fraction) and returns [B, C, H, W], or [B, 2·C, H, W] with a learned variance.</param>
    /// <param name="schedule">The schedule that the network was trained with.</param>
    /// <param name="parameterization">What the network predicts; <see cref="Parameterization.Epsilon"/> by default.</param>
    public NetworkDenoiser(nn.Module<Tensor, Tensor, Tensor> network, INoiseSchedule schedule, Parameterization? parameterization = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(schedule);
        _network = network;
        Schedule = schedule;
        Parameterization = parameterization ?? Parameterization.Epsilon;
    }

    /// <inheritdoc/>
    public INoiseSchedule Schedule { get; }

    /// <summary>What the network predicts.</summary>
    public Parameterization Parameterization { get; }

    /// <inheritdoc/>
    public Device Device => _network.parameters().FirstOrDefault()?.device ?? CPU;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    /// <inheritdoc/>
    /// <remarks>A network that returns twice the channels is taken to have learned the variance of the reverse step in the second half.</remarks>
    public Prediction Predict(Tensor noisy, NoiseLevel level) => Predict(noisy, level, null);

    /// <param name="noisy">x_t, [B, C, H, W].</param>
    /// <param name="level">Its level.</param>
    /// <param name="before">[B, C, H, W], put before the channels of the network's input; nothing if <see langword="null"/>.</param>
    internal Prediction Predict(Tensor noisy, NoiseLevel level, Tensor? before)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        return NetworkRun.Predict(
            _network, Parameterization, noisy, level, (input, timesteps) => _network.call(before is null ? input : cat([before.to(input.dtype), input], 1), timesteps));
    }
}
