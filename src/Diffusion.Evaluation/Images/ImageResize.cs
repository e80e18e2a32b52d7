using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Images at another size, as the packages resize them that publish figures.</summary>
/// <remarks>
/// On Aliased Resizing and Surprising Subtleties in GAN Evaluation, arXiv:2104.11222. Each direction by itself, the horizontal one first, as in Pillow up to version 12; later versions begin with the vertical one where
/// the height shrinks much more than the width, which changes 8-bit results. Sums are float64, what is between the directions float32 or 8 bits, as there.
/// </remarks>
public static class ImageResize
{
    /// <summary>Resizes images.</summary>
    /// <param name="images">[…, H, W] with any leading dimensions, 0 to 255: uint8, or a floating type except with <see cref="ImageResizing.PillowBicubicEightBit"/>. It is not disposed.</param>
    /// <param name="height">The height wanted, at least 1.</param>
    /// <param name="width">The width wanted, at least 1.</param>
    /// <param name="method">How.</param>
    /// <returns>[…, height, width], float32 in [0, 255], or uint8 with <see cref="ImageResizing.PillowBicubicEightBit"/>; on the CPU, for the caller to dispose.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The size is below 1, or the method unknown.</exception>
    /// <exception cref="ArgumentException">The images have fewer than two dimensions, none of a size of 0 allowed, another type, values outside 0 to 255, or an image is too large.</exception>
    public static Tensor To(Tensor images, int height, int width, ImageResizing method)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (!Enum.IsDefined(method))
        {
            throw new ArgumentOutOfRangeException(nameof(method), method, "There is no such way to resize.");
        }

        Check(images, height, width, method);
        using var scope = NewDisposeScope();
        var bytes = method == ImageResizing.PillowBicubicEightBit;
        var type = bytes ? ScalarType.Byte : ScalarType.Float32;
        var (rows, columns) = ((int)images.shape[^2], (int)images.shape[^1]);
        var planes = images.detach().cpu().to(type).reshape(-1, rows, columns).contiguous();
        CheckValues(planes, bytes);
        var result = empty([planes.shape[0], height, width], dtype: type);
        var (across, down) = (ResizeWeights.Of(columns, width, method), ResizeWeights.Of(rows, height, method));
        Action<Tensor, Tensor> resize = bytes ? new EightBitPlane(across, down).Resize : new FloatPlane(across, down).Resize;
        ParallelParts.Run(get_num_threads(), (int)planes.shape[0], i =>
        {
            using var plane = planes.select(0, i);
            using var resized = result.select(0, i);
            resize(plane, resized);
        });
        return result.view([.. images.shape[..^2], height, width]).MoveToOuterDisposeScope();
    }

    private static void Check(Tensor images, int height, int width, ImageResizing method)
    {
        var shape = string.Join(", ", images.shape);
        if (images.dim() < 2 || images.shape.Any(size => size < 1))
        {
            throw new ArgumentException($"The images have the shape [{shape}]; [..., H, W] is needed, none of them 0.", nameof(images));
        }

        if (images.shape[..^2].Aggregate(1L, (product, size) => product * size) > int.MaxValue)
        {
            throw new ArgumentException($"Images [{shape}] are too many: {int.MaxValue} planes are the most.", nameof(images));
        }

        if (Math.Max(images.shape[^2], height) > int.MaxValue / Math.Max(images.shape[^1], width) / sizeof(float))
        {
            throw new ArgumentException($"Images [{shape}] at {height} x {width} are too large: an image of 2 GB and more is not resized.", nameof(images));
        }

        var bytes = images.dtype == ScalarType.Byte;
        if (!bytes && (method == ImageResizing.PillowBicubicEightBit || !images.is_floating_point()))
        {
            throw new ArgumentException($"The images are {images.dtype}; {method} needs uint8{(method == ImageResizing.PillowBicubicEightBit ? "" : " or a floating type")}, with values from 0 to 255.", nameof(images));
        }
    }

    private static void CheckValues(Tensor planes, bool bytes)
    {
        if (bytes)
        {
            return;
        }

        var (low, high) = (planes.min().item<float>(), planes.max().item<float>());
        if (!(low >= 0 && high <= 255))
        {
            throw new ArgumentException(FormattableString.Invariant($"The images have values from {low} to {high}; 0 to 255 is needed (EightBitImages.From makes them of images in [-1, 1])."), nameof(planes));
        }
    }
}
