using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// An 8-bit image in memory, grey or RGB: rows from top to bottom, the channels of a pixel side by side ([H, W, C]).
/// Immutable; may be read from several threads.
/// </summary>
public sealed class PixelImage
{
    private readonly byte[] _pixels;

    /// <summary>Takes ownership of the pixels: the caller no longer changes the array.</summary>
    /// <param name="width">The width in pixels, at least 1.</param>
    /// <param name="height">The height in pixels, at least 1.</param>
    /// <param name="channels">1 for grey, 3 for RGB.</param>
    /// <param name="pixels">width · height · channels values, row by row, channels interleaved.</param>
    /// <exception cref="ArgumentException">
    /// A size is less than 1, the channels are neither 1 nor 3, or the array has another length.
    /// </exception>
    public PixelImage(int width, int height, int channels, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentNullException.ThrowIfNull(pixels);
        Guard.Channels(channels, nameof(channels));
        if (pixels.LongLength != (long)width * height * channels)
        {
            throw new ArgumentException(
                $"pixels has {pixels.LongLength} values; "
                + $"{width}×{height} pixels of {channels} channel(s) need {(long)width * height * channels}.",
                nameof(pixels));
        }

        (Width, Height, Channels, _pixels) = (width, height, channels, pixels);
    }

    /// <summary>The width in pixels.</summary>
    public int Width { get; }

    /// <summary>The height in pixels.</summary>
    public int Height { get; }

    /// <summary>1 for grey, 3 for RGB.</summary>
    public int Channels { get; }

    /// <summary>Width · Height · Channels values in [0, 255], row by row, channels interleaved.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>
    /// The image in grey or in RGB. RGB becomes grey by the weights of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, on the stored
    /// (gamma-encoded) values; grey becomes RGB by repetition, so grey → RGB → grey changes nothing.
    /// </summary>
    /// <param name="channels">1 for grey, 3 for RGB.</param>
    /// <returns>This image where it has these channels already, else a new one.</returns>
    /// <exception cref="ArgumentException">The channels are neither 1 nor 3.</exception>
    public PixelImage WithChannels(int channels)
    {
        Guard.Channels(channels, nameof(channels));
        return channels == Channels ? this : channels == 1 ? ChannelConversion.ToGrey(this) : ChannelConversion.ToRgb(this);
    }

    /// <summary>
    /// The image at another size. Made smaller, every pixel of the result is a weighted mean over all the pixels it covers
    /// (no aliasing); made larger, it is interpolated with a cubic.
    /// </summary>
    /// <param name="width">The new width in pixels, at least 1.</param>
    /// <param name="height">The new height in pixels, at least 1.</param>
    /// <param name="fit">What happens where the new size has another aspect ratio.</param>
    /// <returns>This image where it has this size already, else a new one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1 or more than 1,000,000, both together are more than 2²⁹ pixels, or the fit is none of the enumeration.</exception>
    public PixelImage Resize(int width, int height, ImageFit fit = ImageFit.CropToFill)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, ImageLimits.Side);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, ImageLimits.Side);
        if ((long)width * height > ImageLimits.Scaled)
        {
            throw new ArgumentOutOfRangeException(nameof(width), width, $"{width}×{height} pixels are more than the {ImageLimits.Scaled} that an image is scaled to.");
        }

        if (!Enum.IsDefined(fit))
        {
            throw new ArgumentOutOfRangeException(
                nameof(fit), fit, $"{nameof(fit)} is {(int)fit}; it must be one of {string.Join(", ", Enum.GetNames<ImageFit>())}.");
        }

        return width == Width && height == Height ? this : Resampler.Resize(this, width, height, fit);
    }

    /// <summary>The image as a tensor.</summary>
    /// <returns>Float32, [1, C, H, W], values in [−1, 1], on the CPU; the caller disposes it.</returns>
    public Tensor ToTensor() => PixelTensor.ToFloat(PixelTensor.ToPlanar(this), [1, Channels, Height, Width]);

    /// <summary>A tensor as an image: −1 becomes 0, 1 becomes 255; values outside [−1, 1] are clamped.</summary>
    /// <param name="image">[C, H, W] or [1, C, H, W] with C 1 or 3, any floating type, any device, values in [−1, 1].</param>
    /// <returns>The image.</returns>
    /// <exception cref="ArgumentException">The shape or the type is another, or a value is NaN.</exception>
    public static PixelImage FromTensor(Tensor image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.dim() is not 3 && !(image.dim() is 4 && image.shape[0] == 1))
        {
            throw new ArgumentException(
                $"image has the shape [{string.Join(", ", image.shape)}]; it needs [C, H, W] or [1, C, H, W].", nameof(image));
        }

        using var batch = image.dim() == 3 ? image.unsqueeze(0) : image.alias();
        return PixelTensor.FromFloat(batch, nameof(image))[0];
    }
}
