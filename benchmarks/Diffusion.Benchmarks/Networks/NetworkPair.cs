using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A network twice, with the same weights: of this library and eager.</summary>
internal sealed class NetworkPair : IDisposable
{
    public NetworkPair(ComparedNetwork network)
    {
        Image = network.Image;
        Ours = network.Ours();
        Eager = network.Eager();
        Weights.Load(Eager, network.Keys.ToTheirs(Ours.state_dict()));
    }

    public ImageShape Image { get; }

    public nn.Module<Tensor, Tensor, Tensor> Ours { get; }

    public nn.Module<Tensor, Tensor, Tensor> Eager { get; }

    public void Dispose()
    {
        Eager.Dispose();
        Ours.Dispose();
    }
}
