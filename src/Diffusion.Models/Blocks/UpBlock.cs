using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A block of the expanding path: an upsampling to the size of the skip connection, the connection as further channels, then layers.</summary>
internal sealed class UpBlock : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "upsample")]
    private readonly nn.Module<Tensor, Tensor>? _upsample;

    [ComponentName(Name = "layers")]
    private readonly UNetLayers _layers;

    private readonly Upsampling _kind;

    public UpBlock(UNetPlan.Block block, UNetOptions options, Generator? generator)
        : base(nameof(UpBlock))
    {
        var channels = block.InChannels;
        _kind = options.Upsampling;
        _upsample = !block.Resamples ? null
            : _kind == Upsampling.Transposed ? new ConvTranspose2d(channels, channels, 4, stride: 2, padding: 1, generator: generator)
            : new Conv2d(channels, channels, 3, padding: 1, generator: generator);
        _layers = new UNetLayers(block, startsAlone: false, options, generator);
        RegisterComponents();
    }

    /// <param name="images">[B, C in, H, W] from the block below.</param>
    /// <param name="skip">[B, C skip, H', W'], what entered the down block of the same depth.</param>
    /// <param name="time">SiLU of the time embedding, [B, time dimension].</param>
    /// <returns>[B, C out, H', W'].</returns>
    public override Tensor forward(Tensor images, Tensor skip, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = images;
        if (_upsample is not null)
        {
            hidden = _kind == Upsampling.Transposed ? Resize(_upsample.call(hidden), skip) : _upsample.call(Resize(hidden, skip));
        }

        return _layers.call(cat([hidden, skip], dim: 1), time).MoveToOuterDisposeScope();
    }

    private static Tensor Resize(Tensor images, Tensor like) =>
        images.shape[2] == like.shape[2] && images.shape[3] == like.shape[3]
            ? images
            : nn.functional.interpolate(images, size: [like.shape[2], like.shape[3]], mode: InterpolationMode.Nearest);
}
