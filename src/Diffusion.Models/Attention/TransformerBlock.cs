using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Self-attention, attention to a context, a feed-forward layer: each normalises its input and adds its result to it.</summary>
/// <remarks>High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, section 3.3 and table 15 of its appendix.</remarks>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly LayerNorm _norm1;

    [ComponentName(Name = "self")]
    private readonly CrossAttention _self;

    [ComponentName(Name = "norm2")]
    private readonly LayerNorm _norm2;

    [ComponentName(Name = "cross")]
    private readonly CrossAttention _cross;

    [ComponentName(Name = "norm3")]
    private readonly LayerNorm _norm3;

    [ComponentName(Name = "feed")]
    private readonly FeedForward _feed;

    /// <summary>Makes a block; each layer has its own default initialisation.</summary>
    /// <param name="channels">The features C of a token, in and out, at least 1.</param>
    /// <param name="contextChannels">The features D of a context token, at least 1.</param>
    /// <param name="heads">The number of heads of both attentions, at least 1.</param>
    /// <param name="headWidth">The features of a head, at least 1.</param>
    /// <param name="generator">What the initial values are drawn from. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public TransformerBlock(int channels, int contextChannels, int heads, int headWidth, Generator? generator = null)
        : base(nameof(TransformerBlock))
    {
        _norm1 = new LayerNorm(channels);
        _self = new CrossAttention(channels, channels, heads, headWidth, generator);
        _norm2 = new LayerNorm(channels);
        _cross = new CrossAttention(channels, contextChannels, heads, headWidth, generator);
        _norm3 = new LayerNorm(channels);
        _feed = new FeedForward(channels, generator: generator);
        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="tokens">[B, N, C]; not disposed.</param>
    /// <param name="context">[B, L, D], any L of at least 1; not disposed.</param>
    /// <returns>[B, N, C].</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor tokens, Tensor context)
    {
        TokenInput.Check(tokens, _self.Channels, nameof(TransformerBlock));
        TokenInput.CheckContext(context, tokens.shape[0], _cross.ContextChannels, nameof(TransformerBlock));
        using var scope = NewDisposeScope();
        var normalized = _norm1.call(tokens);
        var hidden = tokens.Plus(_self.call(normalized, normalized));
        hidden = hidden.Plus(_cross.call(_norm2.call(hidden), context));
        return hidden.Plus(_feed.call(_norm3.call(hidden))).MoveToOuterDisposeScope();
    }
}
