using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary><see cref="SinusoidalEmbedding"/> as a module without weights.</summary>
internal sealed class SinusoidalWaves : nn.Module<Tensor, Tensor>
{
    private readonly int _channels;

    public SinusoidalWaves(int channels)
        : base(nameof(SinusoidalWaves))
    {
        _channels = channels >= 2 && channels % 2 == 0 ? channels : throw new ArgumentException($"The channels must be even and at least 2; they are {channels}.", nameof(channels));
        RegisterComponents();
    }

    /// <param name="timesteps">[B].</param>
    /// <returns>[B, channels], float32.</returns>
    public override Tensor forward(Tensor timesteps) => SinusoidalEmbedding.Embed(timesteps, _channels);
}
