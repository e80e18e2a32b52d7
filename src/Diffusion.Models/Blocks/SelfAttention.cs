using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Norm, multi-head self-attention over the pixels, plus the input.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, Eq. 1 and section 3.2.2.</remarks>
public sealed class SelfAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm")]
    private readonly GroupNorm? _norm;

    [ComponentName(Name = "qkv")]
    private readonly Linear? _qkv;

    [ComponentName(Name = "query")]
    private readonly Linear? _query;

    [ComponentName(Name = "key")]
    private readonly Linear? _key;

    [ComponentName(Name = "value")]
    private readonly Linear? _value;

    [ComponentName(Name = "out")]
    private readonly Linear _out;

    private readonly AttentionPlan _plan;

    /// <summary>Makes the block.</summary>
    /// <param name="channels">The channels that enter and leave.</param>
    /// <param name="heads">The number of heads, unless the options give heads a width; divides <paramref name="channels"/>.</param>
    /// <param name="options">Norm groups, initialisation and the dialect of attention.</param>
    /// <param name="generator">Draws the initial weights.</param>
    public SelfAttention(int channels, int heads, UNetOptions options, Generator? generator = null)
        : this(AttentionPlan.Of(Checked(options, channels, heads), channels, heads), generator)
    {
    }

    internal SelfAttention(AttentionPlan plan, Generator? generator)
        : base(nameof(SelfAttention))
    {
        _plan = plan;
        _norm = plan.Groups > 0 ? new GroupNorm(plan.Groups, plan.Channels, plan.Eps) : null;
        if (plan.Projection == AttentionProjection.Separate)
        {
            _query = new Linear(plan.Channels, plan.Inner, generator: generator);
            _key = new Linear(plan.Channels, plan.Inner, generator: generator);
            _value = new Linear(plan.Channels, plan.Inner, generator: generator);
        }
        else
        {
            _qkv = new Linear(plan.Channels, 3 * plan.Inner, generator: generator);
        }

        _out = new Linear(plan.Inner, plan.Channels, generator: generator);
        if (plan.StartsAtZero)
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
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        var tokens = (_norm is null ? images : _norm.call(images)).flatten(2).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
        var (query, key, value) = Heads(tokens, batch, height * width);
        var attended = Attend(query, key, value).transpose(1, 2).reshape(batch, height * width, _plan.Inner); // → [B, H·W, C inner]
        var result = images + _out.call(attended).transpose(1, 2).reshape(batch, channels, height, width); // → [B, C, H, W]
        return (_plan.OutputScale is 1 ? result : result / _plan.OutputScale).MoveToOuterDisposeScope();
    }

    private static UNetOptions Checked(UNetOptions options, int channels, int heads)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Dialect.Attention.HeadWidth is { } width
            ? width >= 1 && width <= channels ? options : throw new ArgumentException($"A head must be from 1 to the {channels} channels wide; it is {width}.", nameof(options))
            : heads >= 1 && channels % heads == 0 ? options : throw new ArgumentException($"The number of heads must divide the {channels} channels; it is {heads}.", nameof(heads));
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

    /// <summary>Queries, keys and values: [B, H·W, C] → [B, heads, H·W, d] each.</summary>
    private (Tensor Query, Tensor Key, Tensor Value) Heads(Tensor tokens, long batch, long pixels)
    {
        var (heads, width) = (_plan.Heads, _plan.HeadWidth);
        if (_qkv is null)
        {
            return (Split(_query!), Split(_key!), Split(_value!));
        }

        var joint = _qkv.call(tokens);
        joint = _plan.Projection == AttentionProjection.JointByHead
            ? joint.view(batch, pixels, heads, 3, width).permute(3, 0, 2, 1, 4) // → [3, B, heads, H·W, d]
            : joint.view(batch, pixels, 3, heads, width).permute(2, 0, 3, 1, 4); // → [3, B, heads, H·W, d]
        return (joint[0], joint[1], joint[2]);

        Tensor Split(Linear linear) => linear.call(tokens).view(batch, pixels, heads, width).transpose(1, 2); // → [B, heads, H·W, d]
    }
}
