using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The layer of a transformer that sees one token alone, under the names of diffusers' <c>FeedForward</c>: a gated GELU of four times the features, a linear map.</summary>
internal sealed class EagerFeedForward : nn.Module<Tensor, Tensor>
{
    private const int Expansion = 4;

    [ComponentName(Name = "net")]
    private readonly ModuleList<nn.Module<Tensor, Tensor>> _layers;

    public EagerFeedForward(int channels)
        : base(nameof(EagerFeedForward))
    {
        // Between the two diffusers has a dropout of 0, which does nothing.
        _layers = new(new EagerGeglu(channels, Expansion * channels), nn.Identity(), nn.Linear(Expansion * channels, channels));
        RegisterComponents();
    }

    /// <param name="tokens">[B, N, C].</param>
    /// <returns>[B, N, C].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _layers[2].call(_layers[0].call(tokens)).MoveToOuterDisposeScope();
    }
}
