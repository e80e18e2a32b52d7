using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A trained network as a denoiser. Runs it in evaluation mode and without gradients.</summary>
public sealed class NetworkDenoiser : IDenoiser
{
    private readonly nn.Module<Tensor, Tensor, Tensor> _network;

    /// <summary>Wraps a network; the caller keeps owning it.</summary>
    /// <param name="network">Takes the noisy images [B, C, H, W] and timesteps [B] (Int64) and returns [B, C, H, W].</param>
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
        ArgumentNullException.ThrowIfNull(noisy);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var wasTraining = _network.training;
        if (wasTraining)
        {
            _network.eval();
        }

        try
        {
            var input = Parameterization.ToInput(noisy, [level]);
            var timesteps = full([noisy.shape[0]], (long)level.Timestep, ScalarType.Int64, noisy.device);
            return Parameterization.ToImage(noisy, _network.call(input, timesteps), [level]).MoveToOuterDisposeScope();
        }
        finally
        {
            if (wasTraining)
            {
                _network.train();
            }
        }
    }
}
