using Diffusion.Kernels;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Multi-head attention of tokens to a context: the queries come from the tokens, keys and values from the context. With the tokens as their
/// own context it is self-attention. Neither normalises nor adds its input.
/// </summary>
/// <remarks>
/// Attention Is All You Need, arXiv:1706.03762, section 3.2; High-Resolution Image Synthesis with Latent Diffusion Models,
/// arXiv:2112.10752, section 3.3. As in the latter's code, queries, keys and values have no bias and the output has one.
/// </remarks>
internal sealed class CrossAttention : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "query")]
    private readonly Linear _query;

    [ComponentName(Name = "key")]
    private readonly Linear _key;

    [ComponentName(Name = "value")]
    private readonly Linear _value;

    [ComponentName(Name = "out")]
    private readonly Linear _out;

    private readonly AttentionLayout _layout;

    /// <summary>Makes a layer whose weights are drawn from U(−1/√n, 1/√n), n = the features that enter each map: PyTorch's default.</summary>
    /// <param name="channels">The features C of a token, in and out, at least 1.</param>
    /// <param name="contextChannels">The features D of a context token, at least 1.</param>
    /// <param name="heads">The number of heads, at least 1.</param>
    /// <param name="headWidth">The features of a head, at least 1; heads·headWidth need not be C.</param>
    /// <param name="generator">What the initial values are drawn from: query, key, value, out. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public CrossAttention(int channels, int contextChannels, int heads, int headWidth, Generator? generator = null)
        : base(nameof(CrossAttention))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(contextChannels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headWidth);
        (Channels, ContextChannels, Heads) = (channels, contextChannels, heads);
        var inner = heads * headWidth;
        _layout = AttentionLayout.Separate(heads, headWidth);
        _query = new Linear(channels, inner, bias: false, generator);
        _key = new Linear(contextChannels, inner, bias: false, generator);
        _value = new Linear(contextChannels, inner, bias: false, generator);
        _out = new Linear(inner, channels, generator: generator);
        RegisterComponents();
    }

    /// <summary>The features of a token.</summary>
    public int Channels { get; }

    /// <summary>The features of a context token.</summary>
    public int ContextChannels { get; }

    /// <summary>The number of heads.</summary>
    public int Heads { get; }

    /// <summary>Attends.</summary>
    /// <param name="tokens">[B, N, C]; not disposed.</param>
    /// <param name="context">[B, L, D], any L of at least 1; not disposed.</param>
    /// <returns>[B, N, C].</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor tokens, Tensor context)
    {
        TokenInput.Check(tokens, Channels, nameof(CrossAttention));
        TokenInput.CheckContext(context, tokens.shape[0], ContextChannels, nameof(CrossAttention));
        using var scope = NewDisposeScope();
        var attended = Functional.Attention(_layout, _query.call(tokens), _key.call(context), _value.call(context));
        return _out.call(attended).MoveToOuterDisposeScope();
    }
}
