using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A block of the contracting path: layers, then a downsampling where the plan says so.</summary>
internal sealed class DownBlock : nn.Module
{
    [ComponentName(Name = "layers")]
    private readonly UNetLayers _layers;

    [ComponentName(Name = "downsample")]
    private readonly nn.Module? _downsample;

    private readonly BlockPlan _block;

    public DownBlock(BlockPlan block, Generator? generator)
        : base(nameof(DownBlock))
    {
        _block = block;
        var channels = block.Channels;
        _layers = new UNetLayers(block, generator);
        _downsample = !block.Resamples ? null : block.Downsampling switch
        {
            Downsampling.Convolution3 => new Conv2d(channels, channels, 3, stride: 2, padding: 1, generator: generator),
            Downsampling.Convolution4 => new Conv2d(channels, channels, 4, stride: 2, padding: 1, generator: generator),
            Downsampling.Convolution3BottomRight => new Conv2d(channels, channels, 3, stride: 2, generator: generator),
            Downsampling.Residual => new ResidualBlock(block.Resampler(ResidualResampling.Down), generator),
            _ => null,
        };
        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <param name="context">[B, L, D], or <see langword="null"/> for a network without a context.</param>
    /// <param name="skips">Receives what enters and, with one connection a layer, what leaves each layer.</param>
    /// <returns>[B, C out, H, W], or half the height and width.</returns>
    public Tensor Run(Tensor images, Tensor time, Tensor? context, Stack<Tensor> skips)
    {
        skips.Push(images);
        var hidden = Layer(0, images, time, context, skips);
        for (var i = 1; i < _block.Residuals; i++)
        {
            using var before = hidden;
            hidden = Layer(i, before, time, context, skips);
        }

        if (!_block.Resamples)
        {
            return hidden;
        }

        using var whole = hidden;
        return Halve(whole, time);
    }

    private Tensor Layer(int index, Tensor images, Tensor time, Tensor? context, Stack<Tensor> skips)
    {
        var hidden = _layers.Layer(index, images, null, time, context);
        if (_block.Network.Dialect.Skips == SkipConnections.Layer)
        {
            skips.Push(hidden.alias()); // another handle: the block disposes of this one, or returns it
        }

        return hidden;
    }

    private Tensor Halve(Tensor images, Tensor time) => _downsample switch
    {
        ResidualBlock residual => residual.call(images, time),
        Conv2d convolution when _block.Downsampling == Downsampling.Convolution3BottomRight => OfPadded(convolution, images),
        Conv2d convolution => convolution.call(images),
        _ => Resize.Halve(images),
    };

    private static Tensor OfPadded(Conv2d convolution, Tensor images)
    {
        using var padded = nn.functional.pad(images, [0, 1, 0, 1]); // below and to the right
        return convolution.call(padded);
    }
}
