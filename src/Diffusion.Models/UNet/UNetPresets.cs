namespace Diffusion.Models;

/// <summary>Block lists of known networks.</summary>
public static class UNetPresets
{
    /// <summary>
    /// The network of the course "Implementing Denoising Diffusion Models" (explainingai-code/DDPM-Pytorch, models/unet_base.py) with its
    /// MNIST settings: self-attention in every layer, 4×4 down- and upsampling, a projected shortcut in every residual block, PyTorch's
    /// default initialisation. Its weights load through <see cref="KeyMap.Course"/>.
    /// </summary>
    /// <param name="image">The shape of the images; 1×28×28 for MNIST.</param>
    /// <param name="downChannels">The stem and the width of each down block; 32, 64, 128, 256 by default.</param>
    /// <param name="midChannels">What enters the bottom and leaves each of its blocks; 256, 256, 128 by default.</param>
    /// <param name="downsample">Whether each down block halves its image; yes, yes, no by default.</param>
    /// <param name="timeDimension">The width of the time embedding; 128 by default.</param>
    /// <param name="downLayers">Layers in each down block; 2 by default.</param>
    /// <param name="midLayers">Layers in each mid block; 2 by default.</param>
    /// <param name="upLayers">Layers in each up block; 2 by default.</param>
    /// <returns>The block list.</returns>
    /// <exception cref="ArgumentException">The lists do not fit together: the widths of the course's network depend on each other.</exception>
    public static UNetOptions Course(
        ImageShape image,
        IReadOnlyList<int>? downChannels = null,
        IReadOnlyList<int>? midChannels = null,
        IReadOnlyList<bool>? downsample = null,
        int timeDimension = 128,
        int downLayers = 2,
        int midLayers = 2,
        int upLayers = 2)
    {
        const int lastChannels = 16;
        downChannels ??= [32, 64, 128, 256];
        midChannels ??= [256, 256, 128];
        downsample ??= [true, true, false];
        if (downChannels.Count < 2 || downsample.Count != downChannels.Count - 1)
        {
            throw new ArgumentException($"There is one downsample for each down block after the stem; {downsample.Count} were given for {downChannels.Count} widths.", nameof(downsample));
        }

        if (midChannels.Count < 1 || midChannels[0] != downChannels[^1] || midChannels[^1] != downChannels[^2])
        {
            throw new ArgumentException($"The bottom begins with the last down width, {downChannels[^1]}, and ends with the one before, {downChannels[^2]}; it is {string.Join(", ", midChannels)}.", nameof(midChannels));
        }

        return new UNetOptions
        {
            Image = image,
            StemChannels = downChannels[0],
            Down = [.. downsample.Select((halves, i) => new DownBlockOptions { Channels = downChannels[i + 1], Layers = downLayers, Attention = true, Downsample = halves })],
            Mid = [.. midChannels.Skip(1).Select(channels => new MidBlockOptions { Channels = channels, Layers = midLayers })],
            Up = [.. Enumerable.Range(0, downsample.Count).Reverse().Select(i => new UpBlockOptions { Channels = i == 0 ? lastChannels : downChannels[i - 1], Layers = upLayers, Attention = true })],
            TimeDimension = timeDimension,
            Downsampling = Downsampling.Convolution4,
            Upsampling = Upsampling.Transposed,
            AlwaysProjectShortcut = true,
            ZeroInitialize = false,
        };
    }
}
