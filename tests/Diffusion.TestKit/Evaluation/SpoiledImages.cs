using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Changes real images, [N, C, H, W] of 8 bits, so that a measure of quality must see it.</summary>
public static class SpoiledImages
{
    private const double Radius = 3; // of a blur, in deviations
    private const int Levels = 255;

    /// <summary>Blurred with a Gaussian, black beyond the edge.</summary>
    /// <param name="images">The images.</param>
    /// <param name="sigma">The deviation of the Gaussian, in pixels.</param>
    public static Tensor Blurred(Tensor images, double sigma)
    {
        using var scope = NewDisposeScope();
        var reach = (int)Math.Ceiling(Radius * sigma);
        var weights = Enumerable.Range(-reach, (2 * reach) + 1).Select(offset => Math.Exp(-(double)offset * offset / (2 * sigma * sigma))).ToArray();
        var total = weights.Sum();
        var blurred = images.to(ScalarType.Float64);
        foreach (var dimension in new[] { 2, 3 })
        {
            var padded = Padded(blurred, dimension, reach);
            blurred = weights.Select((weight, i) => padded.narrow(dimension, i, images.shape[dimension]) * (weight / total)).Aggregate((sum, part) => sum + part);
        }

        return Bytes(blurred).MoveToOuterDisposeScope();
    }

    /// <summary>With Gaussian noise.</summary>
    /// <param name="images">The images.</param>
    /// <param name="deviation">Of the noise, in grey levels of 255.</param>
    /// <param name="seed">Of the noise.</param>
    public static Tensor Noised(Tensor images, double deviation, long seed = 0)
    {
        using var scope = NewDisposeScope();
        using var noise = NoiseSource.Seeded(seed);
        return Bytes(images.to(ScalarType.Float64) + (noise.Draw(images.shape, CPU) * deviation)).MoveToOuterDisposeScope();
    }

    /// <summary>Moved to the right, black at the left.</summary>
    /// <param name="images">The images.</param>
    /// <param name="pixels">How far.</param>
    public static Tensor Shifted(Tensor images, int pixels)
    {
        using var scope = NewDisposeScope();
        return Padded(images, 3, pixels).narrow(3, 0, images.shape[3]).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Brought to the whole range by the darkest and the brightest value of each image, where they should be clipped.</summary>
    /// <param name="images">Float32 in about [−1, 1].</param>
    public static Tensor MinMax(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (dark, bright) = (images.amin([1, 2, 3], keepdim: true), images.amax([1, 2, 3], keepdim: true));
        return Bytes((images - dark) / (bright - dark).clamp_min(1e-6) * Levels).MoveToOuterDisposeScope();
    }

    private static Tensor Bytes(Tensor values) => values.round().clamp(0, Levels).to(ScalarType.Byte);

    private static Tensor Padded(Tensor images, int dimension, int pixels)
    {
        var shape = images.shape;
        shape[dimension] = pixels;
        var black = zeros(shape, images.dtype);
        return cat([black, images, black], dimension);
    }
}
