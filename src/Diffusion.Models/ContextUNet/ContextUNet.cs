using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A U-Net that predicts from noisy images, timesteps and a context: the network for <see cref="ContextDenoiser"/>. Its blocks are those of
/// <see cref="UNet"/>, with a <see cref="SpatialTransformer"/> in place of each self-attention. Made by
/// <see cref="ContextUNetExtensions.BuildWithContext"/>.
/// </summary>
/// <remarks>High-Resolution Image Synthesis with Latent Diffusion Models, arXiv:2112.10752, section 3.3; blocks: arXiv:2006.11239, appendix B.</remarks>
public sealed class ContextUNet : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _convIn;

    [ComponentName(Name = "time")]
    private readonly TimeEmbedding _time;

    [ComponentName(Name = "down")]
    private readonly ModuleList<ContextDownBlock> _down;

    [ComponentName(Name = "mid")]
    private readonly ModuleList<ContextLayers> _mid;

    [ComponentName(Name = "up")]
    private readonly ModuleList<ContextUpBlock> _up;

    [ComponentName(Name = "norm_out")]
    private readonly GroupNorm _normOut;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _convOut;

    internal ContextUNet(UNetOptions options, ContextOptions context, long seed)
        : base(nameof(ContextUNet))
    {
        DiffusionRuntime.EnsureLoaded();
        (Options, Context) = (options, context);
        var plan = UNetPlan.Of(options);
        using var generator = new Generator(unchecked((ulong)seed), CPU);
        _convIn = new Conv2d(plan.InChannels, plan.Stem, 3, padding: 1, generator: generator);
        _time = new TimeEmbedding(options.TimeDimension, options.Dialect.Time, generator);
        _down = new([.. plan.Down.Select(block => new ContextDownBlock(block, context, generator))]);
        _mid = new([.. plan.Mid.Select(block => new ContextLayers(block, context, generator))]);
        _up = new([.. plan.Up.Select(block => new ContextUpBlock(block, context, generator))]);
        _normOut = new GroupNorm(options.NormGroups, plan.LastChannels, options.Dialect.Residual.NormEps);
        _convOut = new Conv2d(plan.LastChannels, plan.OutChannels, 3, padding: 1, generator: generator);
        if (options.ZeroInitialize)
        {
            ZeroInitialization.Apply(_convOut);
        }

        RegisterComponents();
    }

    /// <summary>The block list that the network was made from.</summary>
    public UNetOptions Options { get; }

    /// <summary>The context that it takes.</summary>
    public ContextOptions Context { get; }

    /// <summary>The number of trainable numbers.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel());

    /// <summary>Predicts.</summary>
    /// <param name="images">The noisy images, [B, C, H, W], with C those of the image and the extra ones; any height and width that the block list can halve.</param>
    /// <param name="timesteps">[B], or [1] for the whole batch; any number type, fractions are allowed unless a table has a row for each.</param>
    /// <param name="context">[B, L, D], any L of at least 1.</param>
    /// <returns>[B, C out, H, W].</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor images, Tensor timesteps, Tensor context)
    {
        LayerInput.CheckImages(images, _convIn.InChannels, nameof(ContextUNet));
        ArgumentNullException.ThrowIfNull(timesteps);
        if (timesteps.dim() != 1 || (timesteps.shape[0] != images.shape[0] && timesteps.shape[0] != 1))
        {
            throw new ArgumentException($"Timesteps must have the shape [{images.shape[0]}], one an image, or [1]; the shape is [{string.Join(", ", timesteps.shape)}].", nameof(timesteps));
        }

        TokenInput.CheckContext(context, images.shape[0], Context.Channels, nameof(ContextUNet));
        using var scope = NewDisposeScope();
        var dialect = Options.Dialect;
        var time = dialect.Residual.Activation.Apply(NetworkEnds.Time(_time, timesteps)); // [B, time dimension]
        var hidden = NetworkEnds.First(_convIn, dialect.CenterInput ? (images * Scalars.Two) - Scalars.One : images);
        var skips = new Stack<Tensor>();
        foreach (var block in _down)
        {
            hidden = block.Run(hidden, time, context, skips);
        }

        foreach (var block in _mid)
        {
            for (var i = 0; i < block.Count; i++)
            {
                hidden = block.Layer(i, hidden, null, time, context);
            }
        }

        foreach (var block in _up)
        {
            hidden = block.Run(hidden, time, context, skips);
        }

        var output = NetworkEnds.Last(_convOut, nn.functional.silu(_normOut.call(hidden)));
        return (dialect.DivideByTime ? output / timesteps.to(output.dtype).view(-1, 1, 1, 1) : output).MoveToOuterDisposeScope(); // [B] → [B, 1, 1, 1]
    }
}
