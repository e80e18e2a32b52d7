using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Between bytes in [0, 255] and floats in [−1, 1]: x / 127.5 − 1 and its inverse, which give every byte back exactly.</summary>
internal static class PixelTensor
{
    private static readonly float[] s_floats = [.. Enumerable.Range(0, 256).Select(value => (value / 127.5f) - 1)];

    /// <summary>[H, W, C] → [C, H, W].</summary>
    public static byte[] ToPlanar(PixelImage image)
    {
        var pixels = image.Pixels;
        if (image.Channels == 1)
        {
            return pixels.ToArray();
        }

        var plane = image.Width * image.Height;
        var planar = new byte[pixels.Length];
        for (var i = 0; i < plane; i++)
        {
            for (var c = 0; c < 3; c++)
            {
                planar[(c * plane) + i] = pixels[(3 * i) + c];
            }
        }

        return planar;
    }

    /// <summary>
    /// Bytes as float32 in [−1, 1]; outside every dispose scope. By a table and in the calling thread: libtorch would start a team of threads
    /// for every thread that reads images, which take the processors from training.
    /// </summary>
    public static Tensor ToFloat(ReadOnlySpan<byte> bytes, long[] shape)
    {
        var values = new float[bytes.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = s_floats[bytes[i]];
        }

        return tensor(values, shape).DetachFromDisposeScope();
    }

    /// <summary>Images in [−1, 1], [N, C, H, W], as pixels; the shape and the values are checked.</summary>
    public static PixelImage[] FromFloat(Tensor images, string name)
    {
        if (images.dim() != 4 || images.shape[1] is not (1 or 3) || images.shape.Any(size => size < 1))
        {
            throw new ArgumentException(
                $"{name} has the shape [{string.Join(", ", images.shape)}]; it needs [N, C, H, W] with C 1 or 3, none of them 0.", name);
        }

        if (!images.is_floating_point())
        {
            throw new ArgumentException($"{name} holds {images.dtype}; it needs a floating type with values in [−1, 1].", name);
        }

        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        ThrowIfNaN(images, name);
        var (count, channels, height, width) = (images.shape[0], (int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);
        using var half = 127.5.ToScalar();
        using var max = 255.ToScalar();
        var bytes = images.to(ScalarType.Float32).Plus(Scalars.One).mul_(half).round_().clamp_(Scalars.Zero, max).to(ScalarType.Byte)
            .permute(0, 2, 3, 1).contiguous().cpu(); // [N, C, H, W] → [N, H, W, C]
        return [.. Enumerable.Range(0, (int)count).Select(i => new PixelImage(width, height, channels, bytes[i].bytes.ToArray()))];
    }

    private static void ThrowIfNaN(Tensor images, string name)
    {
        var perImage = images.isnan().sum([1, 2, 3]).cpu().data<long>().ToArray();
        var total = perImage.Sum();
        if (total == 0)
        {
            return;
        }

        var bad = Enumerable.Range(0, perImage.Length).Where(i => perImage[i] > 0).ToArray();
        var listed = string.Join(", ", bad.Take(10)) + (bad.Length > 10 ? ", …" : "");
        throw new ArgumentException(
            $"{name} has {total} NaN of {images.numel()} values, in {bad.Length} of {perImage.Length} images (index {listed}).", name);
    }
}
