using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Statistics of the images of a source.</summary>
internal static class ReferenceFeatures
{
    /// <summary>Reads the images in batches and adds their features up.</summary>
    /// <param name="features">The network.</param>
    /// <param name="images">The images, in [−1, 1].</param>
    /// <param name="count">How many of them, chosen at random, always the same; all where <see langword="null"/>, or where there are fewer. Files are often in an order: every sixth image of MNIST's training images is by half of its writers.</param>
    /// <param name="batchSize">How many at once.</param>
    public static FeatureStatistics Of(IFeatureExtractor features, IImageSource images, int? count, int batchSize)
    {
        var used = Math.Min(count ?? images.Count, images.Count);
        using var noGradients = no_grad();
        var sums = new FeatureSums();
        foreach (var (shard, part) in SourceBatches.Choose(images.Count, used, seed: 0).Chunk(batchSize).Index())
        {
            using var bytes = Read(images, part);
            using var extracted = features.Extract(bytes);
            sums.Add(shard, extracted);
        }

        return sums.Statistics(used == images.Count ? images.Name : $"{used} of the {images.Count} images of {images.Name}");
    }

    /// <summary>Some images, as bytes, for the caller to dispose.</summary>
    public static Tensor Read(IImageSource images, int[] indices)
    {
        lock (images) // batches may be read ahead from the same source
        {
            using var batch = images.Read(indices);
            return EightBitImages.From(batch.Images);
        }
    }
}
