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
    /// <param name="context">[B, L, D], or <see langword="null"/> for a network without a context.</param>
    /// <param name="skips">What the down block of the same depth left, [B, C skip, H', W'] each; taken from the end.</param>
    /// <returns>[B, C out, H', W'].</returns>
    public Tensor Run(Tensor images, Tensor time, Tensor? context, Stack<Tensor> skips)
    {
        if (!_block.Resamples)
        {
            return Layers(images, time, context, skips);
        }

        using var doubled = Double(images, time, skips.Peek().size(2), skips.Peek().size(3));
        return Layers(doubled, time, context, skips);
    }

    private Tensor Layers(Tensor images, Tensor time, Tensor? context, Stack<Tensor> skips)
    {
        var hidden = Layer(0, images, time, context, skips);
        for (var i = 1; i < _block.Residuals; i++)
        {
            using var before = hidden;
            hidden = Layer(i, before, time, context, skips);
        }

        return hidden;
    }

    private Tensor Layer(int index, Tensor images, Tensor time, Tensor? context, Stack<Tensor> skips)
    {
        using var skip = index < _block.Skips.Count ? skips.Pop() : null;
        return _layers.Layer(index, images, skip, time, context);
    }

    private Tensor Double(Tensor images, Tensor time, long height, long width) => _upsample switch
    {
        ConvTranspose2d transposed => Cut(transposed.call(images), height, width),
        Conv2d convolution => OfEnlarged(convolution, images, height, width),
        ResidualBlock residual => residual.Run(images, time, height, width),
        _ => Resize.To(images, height, width),
    };

    private static Tensor Cut(Tensor doubled, long height, long width)
    {
        if (doubled.size(2) == height && doubled.size(3) == width)
        {
            return doubled;
        }

        using var whole = doubled;
        return Resize.To(whole, height, width);
    }

    private static Tensor OfEnlarged(Conv2d convolution, Tensor images, long height, long width)
    {
        using var enlarged = Resize.To(images, height, width);
        return convolution.call(enlarged);
    }
}
