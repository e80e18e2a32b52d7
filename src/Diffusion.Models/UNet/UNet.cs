using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A U-Net that predicts from noisy images and timesteps. Made by <see cref="UNetBuilder"/>.
/// The image that enters each down block is joined to the up block of the same depth.
/// </summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, appendix B; U-Net: arXiv:1505.04597.</remarks>
public sealed class UNet : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "conv_in")]
    private readonly Conv2d _convIn;

    [ComponentName(Name = "time")]
    private readonly TimeEmbedding _time;

    [ComponentName(Name = "down")]
    private readonly ModuleList<DownBlock> _down;

    [ComponentName(Name = "mid")]
    private readonly ModuleList<UNetLayers> _mid;

    [ComponentName(Name = "up")]
    private readonly ModuleList<UpBlock> _up;

    [ComponentName(Name = "norm_out")]
    private readonly GroupNorm _normOut;

    [ComponentName(Name = "conv_out")]
    private readonly Conv2d _convOut;

    internal UNet(UNetOptions options, long seed)
        : base(nameof(UNet))
    {
        options.ThrowIfInvalid(nameof(options));
        DiffusionRuntime.EnsureLoaded();
        Options = options;
        var plan = UNetPlan.Of(options);
        var outChannels = plan.Up[^1].Options.Channels;
        using var generator = new Generator(unchecked((ulong)seed), CPU);
        _convIn = new Conv2d(options.Image.Channels, plan.Stem, 3, padding: 1, generator: generator);
        _time = new TimeEmbedding(options.TimeDimension, generator);
        _down = new([.. plan.Down.Select(block => new DownBlock(block, options, generator))]);
        _mid = new([.. plan.Mid.Select(block => new UNetLayers(block, startsAlone: true, options, generator))]);
        _up = new([.. plan.Up.Select(block => new UpBlock(block, options, generator))]);
        _normOut = new GroupNorm(options.NormGroups, outChannels);
        _convOut = new Conv2d(outChannels, options.Image.Channels, 3, padding: 1, generator: generator);
        if (options.ZeroInitialize)
        {
            ZeroInitialization.Apply(_convOut);
        }

        RegisterComponents();
    }

    /// <summary>The block list that the network was made from.</summary>
    public UNetOptions Options { get; }

    /// <summary>The number of trainable numbers.</summary>
    public long ParameterCount => parameters().Sum(parameter => parameter.numel());

    /// <summary>Predicts.</summary>
    /// <param name="images">The noisy images, [B, C, H, W]; any height and width that the block list can halve.</param>
    /// <param name="timesteps">[B], or [1] for the whole batch; any number type, fractions are allowed.</param>
    /// <returns>[B, C, H, W].</returns>
    /// <exception cref="ArgumentException">The images have another number of channels, or there is not one timestep an image.</exception>
    public override Tensor forward(Tensor images, Tensor timesteps)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(timesteps);
        if (images.dim() != 4 || images.shape[1] != Options.Image.Channels)
        {
            throw new ArgumentException($"Images must have the shape [B, {Options.Image.Channels}, H, W]; the shape is [{string.Join(", ", images.shape)}].", nameof(images));
        }

        if (timesteps.dim() != 1 || (timesteps.shape[0] != images.shape[0] && timesteps.shape[0] != 1))
        {
            throw new ArgumentException($"Timesteps must have the shape [{images.shape[0]}], one an image, or [1]; the shape is [{string.Join(", ", timesteps.shape)}].", nameof(timesteps));
        }

        using var scope = NewDisposeScope();
        var time = nn.functional.silu(_time.call(timesteps)); // [B, time dimension]
        var hidden = _convIn.call(images);
        var skips = new Stack<Tensor>();
        foreach (var block in _down)
        {
            skips.Push(hidden);
            hidden = block.call(hidden, time);
        }

        foreach (var block in _mid)
        {
            hidden = block.call(hidden, time);
        }

        foreach (var block in _up)
        {
            hidden = block.call(hidden, skips.Pop(), time);
        }

        return _convOut.call(nn.functional.silu(_normOut.call(hidden))).MoveToOuterDisposeScope();
    }
}
