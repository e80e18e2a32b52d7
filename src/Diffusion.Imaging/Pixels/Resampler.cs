using System.Numerics;
using System.Runtime.InteropServices;

namespace Diffusion.Imaging;

/// <summary>
/// Resizes in two passes of <see cref="FilterWeights"/>: down the columns, reading every source row once, then along the rows.
/// Works on the stored (gamma-encoded) values, in float32, and rounds once at the end.
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
    /// part ends with the image, there are none.
    /// </summary>
    public static PixelImage ResizePart(PixelImage image, double left, double top, double cropWidth, double cropHeight, int width, int height)
    {
        var columns = FilterWeights.Create(image.Width, left, left + cropWidth, width);
        var rows = FilterWeights.Create(image.Height, top, top + cropHeight, height);
        var strips = ResizeColumns(image, rows, columns.Start, columns.End);
        var pixels = new byte[checked(width * height * image.Channels)];
        for (var y = 0; y < height; y++)
        {
            ResizeRow(strips[y], columns, image.Channels, pixels.AsSpan(y * width * image.Channels, width * image.Channels));
        }

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

    /// <summary>One row of floats for every row of the result, over the source columns [start, end).</summary>
    private static float[][] ResizeColumns(PixelImage image, FilterWeights rows, int start, int end)
    {
        var length = (end - start) * image.Channels;
        var sums = new float[rows.Count][];
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] = new float[length];
        }

        var row = new float[length];
        var oldest = 0;
        for (var y = rows.Start; y < rows.End; y++)
        {
            var bytes = image.Pixels.Slice(((y * image.Width) + start) * image.Channels, length);
            for (var i = 0; i < length; i++)
            {
                row[i] = bytes[i];
            }

            while (rows.First(oldest) + rows[oldest].Length <= y)
            {
                oldest++;
            }

            for (var i = oldest; i < rows.Count && rows.First(i) <= y; i++)
            {
                AddScaled(sums[i], row, rows[i][y - rows.First(i)]);
            }
        }

        return sums;
    }

    private static void AddScaled(Span<float> sum, ReadOnlySpan<float> row, float weight)
    {
        var sums = MemoryMarshal.Cast<float, Vector<float>>(sum);
        var values = MemoryMarshal.Cast<float, Vector<float>>(row);
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] += values[i] * weight;
        }

        for (var i = sums.Length * Vector<float>.Count; i < sum.Length; i++)
        {
            sum[i] += row[i] * weight;
        }
    }

    private static void ResizeRow(ReadOnlySpan<float> row, FilterWeights columns, int channels, Span<byte> result)
    {
        for (var x = 0; x < columns.Count; x++)
        {
            var weights = columns[x];
            var from = (columns.First(x) - columns.Start) * channels;
            for (var c = 0; c < channels; c++)
            {
                var sum = 0f;
                for (var j = 0; j < weights.Length; j++)
                {
                    sum += row[from + (j * channels) + c] * weights[j];
                }

                result[(x * channels) + c] = (byte)Math.Clamp(MathF.Round(sum), 0, 255);
            }
        }
    }
}
