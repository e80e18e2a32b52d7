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
    /// <param name="cancellation">Checked before every batch.</param>
    public static FeatureStatistics Of(IFeatureExtractor features, IImageSource images, int? count, int batchSize, CancellationToken cancellation)
    {
        var used = Math.Min(count ?? images.Count, images.Count);
        using var noGradients = no_grad();
        var sums = new FeatureSums();
        foreach (var (shard, batch) in SourceBatches.Of(images, SourceBatches.Choose(images.Count, used, seed: 0), batchSize).Index())
        {
            using var bytes = batch;
            cancellation.ThrowIfCancellationRequested();
            using var extracted = features.Extract(bytes);
            sums.Add(shard, extracted);
        }

        return sums.Statistics(used == images.Count ? images.Name : $"{used} of the {images.Count} images of {images.Name}");
    }
}
