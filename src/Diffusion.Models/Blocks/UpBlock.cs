using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A block of the expanding path: an upsampling to the size of the skip connections, then layers that each take a connection as further channels.</summary>
internal sealed class UpBlock : nn.Module
{
    [ComponentName(Name = "upsample")]
    private readonly nn.Module? _upsample;

    [ComponentName(Name = "layers")]
    private readonly UNetLayers _layers;

    private readonly BlockPlan _block;

    public UpBlock(BlockPlan block, Generator? generator)
        : base(nameof(UpBlock))
    {
        _block = block;
        var channels = block.InChannels;
        _upsample = !block.Resamples ? null : block.Upsampling switch
        {
            Upsampling.Nearest => new Conv2d(channels, channels, 3, padding: 1, generator: generator),
            Upsampling.Transposed => new ConvTranspose2d(channels, channels, 4, stride: 2, padding: 1, generator: generator),
            Upsampling.Residual => new ResidualBlock(block.Resampler(ResidualResampling.Up), generator),
            _ => null,
        };
        _layers = new UNetLayers(block, generator);
        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C in, H, W] from the block below.</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <param name="skips">What the down block of the same depth left, [B, C skip, H', W'] each; taken from the end.</param>
    /// <returns>[B, C out, H', W'].</returns>
    public Tensor Run(Tensor images, Tensor time, Stack<Tensor> skips)
    {
        using var scope = NewDisposeScope();
        var hidden = Double(images, time, skips.Peek().shape[2], skips.Peek().shape[3]);
        for (var i = 0; i < _block.Residuals; i++)
        {
            hidden = _layers.Layer(i, i < _block.Skips.Count ? cat([hidden, skips.Pop()], dim: 1) : hidden, time);
        }

        return hidden.MoveToOuterDisposeScope();
    }

    private Tensor Double(Tensor images, Tensor time, long height, long width) => !_block.Resamples ? images : _upsample switch
    {
        ConvTranspose2d transposed => Resize.To(transposed.call(images), height, width),
        Conv2d convolution => convolution.call(Resize.To(images, height, width)),
        ResidualBlock residual => residual.Run(images, time, height, width),
        _ => Resize.To(images, height, width),
    };
}
