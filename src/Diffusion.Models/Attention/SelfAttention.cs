using Diffusion.Kernels;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Norm, multi-head self-attention over the pixels, plus the input.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, Eq. 1 and section 3.2.2.</remarks>
internal sealed class SelfAttention : nn.Module<Tensor, Tensor>
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
    private readonly AttentionLayout _layout;

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

        _layout = plan.Layout;
        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, C, H, W].</returns>
    /// <exception cref="ArgumentException">The images have another number of channels.</exception>
    public override Tensor forward(Tensor images)
    {
        LayerInput.CheckImages(images, _plan.Channels, nameof(SelfAttention)); // the operations below do not check shapes again
        return Functional.SelfAttention(
            images,
            new SelfAttentionParameters(_layout, _norm?.Parameters, (_qkv ?? _query!).Parameters, _key?.Parameters, _value?.Parameters, _out.Parameters, _plan.OutputScale));
    }

    private static UNetOptions Checked(UNetOptions options, int channels, int heads)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Dialect.Attention.HeadWidth is { } width
            ? width >= 1 && width <= channels ? options : throw new ArgumentException($"A head must be from 1 to the {channels} channels wide; it is {width}.", nameof(options))
            : heads >= 1 && channels % heads == 0 ? options : throw new ArgumentException($"The number of heads must divide the {channels} channels; it is {heads}.", nameof(heads));
    }
}
