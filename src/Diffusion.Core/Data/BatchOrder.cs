namespace Diffusion;

/// <summary>
/// Which images a step sees: a function of the seed and the step. Batches are always full: one may span two epochs. What it remembers only
/// saves time, so it is for one thread.
/// </summary>
internal abstract class BatchOrder(int batchSize)
{
    public int BatchSize => batchSize;

    public static BatchOrder Create(IImageSource images, int batchSize, long seed, ImageOrder order) => order switch
    {
        ImageOrder.ClassBalanced => new ClassBalancedOrder(LabelsOf(images), batchSize, seed),
        _ => new ShuffledOrder(images.Count, batchSize, seed),
    };

    /// <summary>The images of a step, counted from 0.</summary>
    public int[] Indices(long step)
    {
        var indices = new int[batchSize];
        for (var i = 0; i < batchSize; i++)
        {
            indices[i] = ImageAt((step * batchSize) + i);
        }

        return indices;
    }

    /// <summary>The image at a position of the endless sequence.</summary>
    protected abstract int ImageAt(long position);

    private static IReadOnlyList<long> LabelsOf(IImageSource images)
    {
        var labels = images.Labels ?? throw new InvalidOperationException(
            $"'{images.Name}' does not say the labels of its images ({nameof(IImageSource)}.{nameof(IImageSource.Labels)}); the order {nameof(ImageOrder.ClassBalanced)} needs them.");
        return labels.Count == images.Count
            ? labels
            : throw new InvalidOperationException($"'{images.Name}' has {labels.Count} labels for {images.Count} images; one for each is needed.");
    }
}
