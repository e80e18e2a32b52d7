using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The features of real images in two sets that share none: a few, as many as samplers draw, and many, against which is measured.</summary>
internal sealed class RealFeatures : IDisposable
{
    /// <summary>More images change a distance by less than its digits.</summary>
    private const int Most = 10_000;

    private const int Seed = 0;

    private RealFeatures(Tensor few, Tensor many) => (Few, Many) = (few, many);

    /// <summary>[N, F].</summary>
    public Tensor Few { get; }

    /// <summary>[M, F].</summary>
    public Tensor Many { get; }

    /// <param name="source">The images; a random choice of them is read.</param>
    /// <param name="images">N.</param>
    /// <param name="features">What is measured of them.</param>
    /// <exception cref="FormatException">There are fewer than 2 N images.</exception>
    public static RealFeatures Of(IImageSource source, int images, RandomFeatures features)
    {
        if (source.Count < 2 * images)
        {
            throw new FormatException($"--images {images} needs twice as many real images; '{source.Name}' has {source.Count}.");
        }

        int[] order = [.. Enumerable.Range(0, source.Count)];
        new Random(Seed).Shuffle(order);
        return new RealFeatures(Read(source, order.AsSpan(0, images), features), Read(source, order.AsSpan(images, Math.Min(Most, source.Count - images)), features));
    }

    /// <summary>Between two sets of N real images.</summary>
    public double Floor()
    {
        using var other = Many.narrow(0, 0, Few.shape[0]);
        return FrechetDistance.Between(Few, other);
    }

    public void Dispose()
    {
        Few.Dispose();
        Many.Dispose();
    }

    private static Tensor Read(IImageSource source, ReadOnlySpan<int> indices, RandomFeatures features)
    {
        using var batch = source.Read(indices);
        return features.Of(batch.Images);
    }
}
