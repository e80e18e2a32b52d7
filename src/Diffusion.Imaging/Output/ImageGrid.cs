using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Many images as one picture: row by row, from the top left.</summary>
public static class ImageGrid
{
    /// <summary>Writes a grid of images as PNG; the file is whole or absent.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="images">
    /// [N, C, H, W] with C 1 or 3, any floating type, any device: −1 becomes 0, 1 becomes 255, values outside [−1, 1] (infinities too) are
    /// clamped.
    /// </param>
    /// <param name="columns">The most images in a row, at least 1; fewer images make a narrower grid.</param>
    /// <param name="padding">The space around and between the images, in pixels of the result, at least 0; 2 by default.</param>
    /// <param name="scale">How many pixels wide and high each pixel of an image becomes (repeated, not smoothed), at least 1; 1 by default.</param>
    /// <param name="background">The grey of the space and of empty cells, from 0 (black, the default) to 255 (white).</param>
    /// <exception cref="ArgumentException">
    /// The shape, the type or a number is outside its range, or values are NaN (the message says how many).
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, Tensor images, int columns, int padding = 2, int scale = 1, byte background = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ImageFile.Save(path, Compose(images, columns, padding, scale, background));
    }

    /// <summary>How many columns make a grid about as high as wide.</summary>
    /// <param name="images">The number of images, at least 1.</param>
    /// <param name="labels">Where the images go through so many labels in turn: each column has one of them. 1 (default) where they have none.</param>
    /// <returns>A multiple of <paramref name="labels"/>.</returns>
    public static int ColumnsFor(int images, int labels = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(labels, 1);
        return labels == 1 ? (int)Math.Ceiling(Math.Sqrt(images)) : labels * Math.Max(1, (int)Math.Round(Math.Sqrt(images) / labels));
    }

    /// <summary>Lays out images in a grid.</summary>
    /// <param name="images">
    /// [N, C, H, W] with C 1 or 3, any floating type, any device: −1 becomes 0, 1 becomes 255, values outside [−1, 1] (infinities too) are
    /// clamped.
    /// </param>
    /// <param name="columns">The most images in a row, at least 1; fewer images make a narrower grid.</param>
    /// <param name="padding">The space around and between the images, in pixels of the result, at least 0; 2 by default.</param>
    /// <param name="scale">How many pixels wide and high each pixel of an image becomes (repeated, not smoothed), at least 1; 1 by default.</param>
    /// <param name="background">The grey of the space and of empty cells, from 0 (black, the default) to 255 (white).</param>
    /// <returns>The grid, with as many channels as the images.</returns>
    /// <exception cref="ArgumentException">
    /// The shape, the type or a number is outside its range, or values are NaN (the message says how many).
    /// </exception>
    public static PixelImage Compose(Tensor images, int columns, int padding = 2, int scale = 1, byte background = 0)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        return Compose(PixelTensor.FromFloat(images, nameof(images)), columns, padding, scale, background);
    }

    private static PixelImage Compose(PixelImage[] images, int columns, long padding, long scale, byte background)
    {
        columns = Math.Min(columns, images.Length);
        var rows = (images.Length + columns - 1) / columns;
        var channels = images[0].Channels;
        var (cellWidth, cellHeight) = ((images[0].Width * scale) + padding, (images[0].Height * scale) + padding);
        var (width, height) = ((columns * cellWidth) + padding, (rows * cellHeight) + padding);
        if ((UInt128)width * (UInt128)height * (uint)channels > (UInt128)Array.MaxLength)
        {
            throw new ArgumentException(
                $"A grid of {images.Length} images in {columns} columns at scale {scale} has {width}×{height} pixels, "
                + "more than fit in memory.");
        }

        var pixels = new byte[width * height * channels];
        Array.Fill(pixels, background);
        for (var i = 0; i < images.Length; i++)
        {
            var (top, left) = ((i / columns * cellHeight) + padding, (i % columns * cellWidth) + padding);
            for (var y = 0; y < images[i].Height * scale; y++)
            {
                var target = pixels.AsSpan((int)((((top + y) * width) + left) * channels), (int)(images[i].Width * scale * channels));
                CopyRow(images[i], (int)(y / scale), (int)scale, target);
            }
        }

        return new PixelImage((int)width, (int)height, channels, pixels);
    }

    private static void CopyRow(PixelImage image, int row, int scale, Span<byte> target)
    {
        var source = image.Pixels.Slice(row * image.Width * image.Channels, image.Width * image.Channels);
        for (var i = 0; i < target.Length; i += image.Channels)
        {
            source.Slice(i / (image.Channels * scale) * image.Channels, image.Channels).CopyTo(target[i..]);
        }
    }
}
