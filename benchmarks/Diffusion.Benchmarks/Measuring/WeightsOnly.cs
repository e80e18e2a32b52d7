using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A network with all weights of another one that computes next to nothing: what a train step of it takes is the update of the weights.</summary>
internal sealed class WeightsOnly : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "network")]
    private readonly nn.Module _network;

    [ComponentName(Name = "scale")]
    private readonly Parameter _scale;

    public WeightsOnly(nn.Module network)
        : base(nameof(WeightsOnly))
    {
        _network = network;
        _scale = nn.Parameter(ones(1, device: network.parameters().First().device));
        RegisterComponents();
    }

    public override Tensor forward(Tensor images, Tensor timesteps) => images * _scale;
}
