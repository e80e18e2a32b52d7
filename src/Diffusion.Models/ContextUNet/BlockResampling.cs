using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The modules with which a block halves or doubles its image, as its plan says, and how they are applied.</summary>
internal static class BlockResampling
{
    public static nn.Module? Down(BlockPlan block, Generator? generator)
    {
        var channels = block.Channels;
        return !block.Resamples ? null : block.Downsampling switch
        {
            Downsampling.Convolution3 => new Conv2d(channels, channels, 3, stride: 2, padding: 1, generator: generator),
            Downsampling.Convolution4 => new Conv2d(channels, channels, 4, stride: 2, padding: 1, generator: generator),
            Downsampling.Convolution3BottomRight => new Conv2d(channels, channels, 3, stride: 2, generator: generator),
            Downsampling.Residual => new ResidualBlock(block.Resampler(ResidualResampling.Down), generator),
            _ => null,
        };
    }

    public static nn.Module? Up(BlockPlan block, Generator? generator)
    {
        var channels = block.InChannels;
        return !block.Resamples ? null : block.Upsampling switch
        {
            Upsampling.Nearest => new Conv2d(channels, channels, 3, padding: 1, generator: generator),
            Upsampling.Transposed => new ConvTranspose2d(channels, channels, 4, stride: 2, padding: 1, generator: generator),
            Upsampling.Residual => new ResidualBlock(block.Resampler(ResidualResampling.Up), generator),
            _ => null,
        };
    }

    /// <summary>[B, C, H, W] → half the height and width; the same tensor where the block does not resample.</summary>
    public static Tensor Halve(BlockPlan block, nn.Module? module, Tensor images, Tensor time) => !block.Resamples ? images : module switch
    {
        ResidualBlock residual => residual.call(images, time),
        Conv2d convolution when block.Downsampling == Downsampling.Convolution3BottomRight => convolution.call(nn.functional.pad(images, [0, 1, 0, 1])),
        Conv2d convolution => convolution.call(images),
        _ => Resize.Halve(images),
    };

    /// <summary>[B, C, H, W] → [B, C, height, width]; the same tensor where the block does not resample.</summary>
    public static Tensor Double(BlockPlan block, nn.Module? module, Tensor images, Tensor time, long height, long width) => !block.Resamples ? images : module switch
    {
        ConvTranspose2d transposed => Resize.To(transposed.call(images), height, width),
        Conv2d convolution => convolution.call(Resize.To(images, height, width)),
        ResidualBlock residual => residual.Run(images, time, height, width),
        _ => Resize.To(images, height, width),
    };
}
