using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Norm, multi-head self-attention over the pixels, plus the input.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, Eq. 1 and section 3.2.2.</remarks>
public sealed class SelfAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "qkv")]
    private readonly Linear _qkv;

    [ComponentName(Name = "out")]
    private readonly Linear _out;

    private readonly int _heads;

    /// <summary>Makes the block.</summary>
    /// <param name="channels">The channels that enter and leave.</param>
    /// <param name="heads">The number of heads; divides <paramref name="channels"/>.</param>
    /// <param name="options">Norm groups and initialisation.</param>
    /// <param name="generator">Draws the initial weights.</param>
    public SelfAttention(int channels, int heads, UNetOptions options, Generator? generator = null)
        : base(nameof(SelfAttention))
    {
        ArgumentNullException.ThrowIfNull(options);
        if (heads < 1 || channels % heads != 0)
        {
            throw new ArgumentException($"The number of heads must divide the {channels} channels; it is {heads}.", nameof(heads));
        }

        _heads = heads;
        _norm = new GroupNorm(options.NormGroups, channels);
        _qkv = new Linear(channels, 3 * channels, generator: generator);
        _out = new Linear(channels, channels, generator: generator);
        if (options.ZeroInitialize)
        {
            ZeroInitialization.Apply(_out);
        }

        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, C, H, W].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        var tokens = _norm.call(images).flatten(2).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
        var heads = _qkv.call(tokens).view(batch, height * width, 3, _heads, channels / _heads).permute(2, 0, 3, 1, 4); // → [3, B, heads, H·W, d]
        var attended = Attend(heads[0], heads[1], heads[2]).transpose(1, 2).reshape(batch, height * width, channels); // → [B, H·W, C]
        var result = _out.call(attended).transpose(1, 2).reshape(batch, channels, height, width); // → [B, C, H, W]
        return (images + result).MoveToOuterDisposeScope();
    }

    /// <summary>softmax(q·kᵀ/√d)·v, each [B, heads, H·W, d].</summary>
    private static Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        if (query.device_type != DeviceType.CPU)
        {
            return nn.functional.scaled_dot_product_attention(query, key, value);
        }

        // On the CPU the two products are faster than libtorch's fused attention, and over contiguous heads much faster than over strided ones.
        var scores = matmul(query.contiguous() * (1 / Math.Sqrt(query.shape[^1])), key.contiguous().transpose(-2, -1));
        return matmul(nn.functional.softmax(scores, -1), value.contiguous());
    }
}
