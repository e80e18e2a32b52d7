namespace Diffusion.Imaging;

/// <summary>
/// Resizes in two passes of <see cref="FilterWeights"/>: down the columns, reading every source row once, then along the rows. Only the rows of the result that are being
/// summed are in memory; where these are too long, the passes change places. Works on the stored (gamma-encoded) values, in float32, and rounds once at the end.
/// </summary>
internal static class Resampler
{
    public static PixelImage Resize(PixelImage image, int width, int height, ImageFit fit)
    {
        var (left, top, cropWidth, cropHeight) = Crop(image, width, height, fit);
        return ResizePart(image, left, top, cropWidth, cropHeight, width, height);
    }

    /// <summary>
    /// Brings a part of an image, in (fractional) source pixels, to a size. Pixels beside the part have a share in those at its edge; where the
    /// part ends with the image, there are none. The rows are made narrow first where the others, all at once, would take more than <paramref name="strips"/> bytes.
    /// </summary>
    public static PixelImage ResizePart(PixelImage image, double left, double top, double cropWidth, double cropHeight, int width, int height, long strips = ImageLimits.Strips)
    {
        var columns = FilterWeights.Create(image.Width, left, left + cropWidth, width);
        var rows = FilterWeights.Create(image.Height, top, top + cropHeight, height);
        var (read, written) = ((columns.End - columns.Start) * image.Channels, width * image.Channels);
        var narrowFirst = written < read && (long)rows.MaxAtOnce() * read * sizeof(float) > strips;
        var pixels = new byte[checked(written * height)];
        var sums = narrowFirst
            ? new RowSums(written, rows, (y, sum) => Round(sum, pixels.AsSpan(y * written, written)))
            : new RowSums(read, rows, (y, sum) => ResizeRow(sum, columns, image.Channels, pixels.AsSpan(y * written, written)));
        var (row, narrow) = (new float[read], new float[narrowFirst ? written : 0]);
        for (var y = rows.Start; y < rows.End; y++)
        {
            var bytes = image.Pixels.Slice(((y * image.Width) + columns.Start) * image.Channels, read);
            for (var i = 0; i < read; i++)
            {
                row[i] = bytes[i];
            }

            if (narrowFirst)
            {
                Narrow(row, columns, image.Channels, narrow);
            }

            sums.Add(y, narrowFirst ? narrow : row);
        }

        sums.Complete();
        return new PixelImage(width, height, image.Channels, pixels);
    }

    /// <summary>The part of the source that is kept, in (fractional) source pixels.</summary>
    private static (double Left, double Top, double Width, double Height) Crop(PixelImage image, int width, int height, ImageFit fit)
    {
        if (fit == ImageFit.Stretch)
        {
            return (0, 0, image.Width, image.Height);
        }

        var scale = Math.Min(image.Width / (double)width, image.Height / (double)height);
        var (cropWidth, cropHeight) = (Math.Min(width * scale, image.Width), Math.Min(height * scale, image.Height));
        return ((image.Width - cropWidth) / 2, (image.Height - cropHeight) / 2, cropWidth, cropHeight);
    }

    private static void Narrow(ReadOnlySpan<float> row, FilterWeights columns, int channels, Span<float> result)
    {
        for (var x = 0; x < columns.Count; x++)
        {
            for (var c = 0; c < channels; c++)
            {
                result[(x * channels) + c] = Sum(row[(((columns.First(x) - columns.Start) * channels) + c)..], columns[x], channels);
            }
        }
    }

    private static void ResizeRow(ReadOnlySpan<float> row, FilterWeights columns, int channels, Span<byte> result)
    {
        for (var x = 0; x < columns.Count; x++)
        {
            for (var c = 0; c < channels; c++)
            {
                result[(x * channels) + c] = Round(Sum(row[(((columns.First(x) - columns.Start) * channels) + c)..], columns[x], channels));
            }
        }
    }

    private static float Sum(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int step)
    {
        var sum = 0f;
        for (var i = 0; i < weights.Length; i++)
        {
            sum += values[i * step] * weights[i];
        }

        return sum;
    }

    private static void Round(ReadOnlySpan<float> values, Span<byte> result)
    {
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = Round(values[i]);
        }
    }

    private static byte Round(float value) => (byte)Math.Clamp(MathF.Round(value), 0, 255);
}
