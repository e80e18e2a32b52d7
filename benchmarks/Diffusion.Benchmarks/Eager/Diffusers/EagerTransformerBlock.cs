using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Self-attention, attention to the context, the feed-forward layer, each after a norm and added to its input, under the names of diffusers' <c>BasicTransformerBlock</c>.</summary>
internal sealed class EagerTransformerBlock : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly LayerNorm _norm1;

    [ComponentName(Name = "attn1")]
    private readonly EagerProjectedAttention _self;

    [ComponentName(Name = "norm2")]
    private readonly LayerNorm _norm2;

    [ComponentName(Name = "attn2")]
    private readonly EagerProjectedAttention _cross;

    [ComponentName(Name = "norm3")]
    private readonly LayerNorm _norm3;

    [ComponentName(Name = "ff")]
    private readonly EagerFeedForward _feed;

    public EagerTransformerBlock(int channels, int contextChannels, int heads)
        : base(nameof(EagerTransformerBlock))
    {
        _norm1 = EagerLayers.LayerNorm(channels);
        _self = new(channels, channels, heads);
        _norm2 = EagerLayers.LayerNorm(channels);
        _cross = new(channels, contextChannels, heads);
        _norm3 = EagerLayers.LayerNorm(channels);
        _feed = new(channels);
        RegisterComponents();
    }

    /// <param name="tokens">[B, N, C].</param>
    /// <param name="context">[B, L, D].</param>
    /// <returns>[B, N, C].</returns>
    public override Tensor forward(Tensor tokens, Tensor context)
    {
        using var scope = NewDisposeScope();
        var normed = _norm1.call(tokens);
        var hidden = tokens + _self.call(normed, normed);
        hidden = hidden + _cross.call(_norm2.call(hidden), context);
        return (hidden + _feed.call(_norm3.call(hidden))).MoveToOuterDisposeScope();
    }
}
