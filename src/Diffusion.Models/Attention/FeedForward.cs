using Diffusion.Kernels;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Two linear maps of each token with a gated GELU between them: (a·x) ⊙ GELU(b·x), then out. Neither normalises nor adds its input.</summary>
/// <remarks>GEGLU: GLU Variants Improve Transformer, arXiv:2002.05202, Eq. 5 and 6, here with biases; the exact GELU, x·Φ(x), of arXiv:1606.08415.</remarks>
internal sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate")]
    private readonly Linear _gate;

    [ComponentName(Name = "out")]
    private readonly Linear _out;

    /// <summary>Makes a layer with PyTorch's default initialisation of linear maps.</summary>
    /// <param name="channels">The features C of a token, in and out, at least 1.</param>
    /// <param name="expansion">The hidden features are expansion·C; at least 1, 4 by default.</param>
    /// <param name="generator">What the initial values are drawn from: gate, then out. <see langword="null"/>: libtorch's global generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public FeedForward(int channels, int expansion = 4, Generator? generator = null)
        : base(nameof(FeedForward))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expansion);
        Channels = channels;
        _gate = new Linear(channels, 2 * expansion * channels, generator: generator);
        _out = new Linear(expansion * channels, channels, generator: generator);
        RegisterComponents();
    }

    /// <summary>The features of a token.</summary>
    public int Channels { get; }

    /// <summary>Maps each token.</summary>
    /// <param name="tokens">[B, N, C]; not disposed.</param>
    /// <returns>[B, N, C].</returns>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public override Tensor forward(Tensor tokens)
    {
        TokenInput.Check(tokens, Channels, nameof(FeedForward));
        return Functional.FeedForward(tokens, _gate.Parameters, _out.Parameters);
    }
}
