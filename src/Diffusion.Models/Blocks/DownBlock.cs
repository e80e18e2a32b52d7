using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A block of the contracting path: layers, then a downsampling where the plan says so.</summary>
internal sealed class DownBlock : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "layers")]
    private readonly UNetLayers _layers;

    [ComponentName(Name = "downsample")]
    private readonly Conv2d? _downsample;

    public DownBlock(UNetPlan.Block block, UNetOptions options, Generator? generator)
        : base(nameof(DownBlock))
    {
        var channels = block.Options.Channels;
        var kernel = options.Downsampling == Downsampling.Convolution3 ? 3 : 4;
        _layers = new UNetLayers(block, startsAlone: false, options, generator);
        _downsample = block.Resamples ? new Conv2d(channels, channels, kernel, stride: 2, padding: 1, generator: generator) : null;
        RegisterComponents();
    }

    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">SiLU of the time embedding, [B, time dimension].</param>
    /// <returns>[B, C out, H, W], or half the height and width.</returns>
    public override Tensor forward(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = _layers.call(images, time);
        return (_downsample is null ? hidden : _downsample.call(hidden)).MoveToOuterDisposeScope();
    }
}
