using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Images in batches, as 8-bit pixels.</summary>
internal static class SourceBatches
{
    /// <summary>A choice of the images of a source.</summary>
    /// <param name="source">The images, in [−1, 1].</param>
    /// <param name="indices">Which, in this order.</param>
    /// <param name="batchSize">The most images of a batch.</param>
    /// <returns>[B, C, H, W], uint8, for the caller to dispose one by one.</returns>
    public static IEnumerable<Tensor> Of(IImageSource source, int[] indices, int batchSize)
    {
        foreach (var part in indices.Chunk(batchSize))
        {
            yield return Read(source, part);
        }
    }

    /// <summary>Some images of a source, [B, C, H, W], uint8, for the caller to dispose.</summary>
    public static Tensor Read(IImageSource source, int[] indices)
    {
        lock (source) // batches may be read ahead from the same source
        {
            using var batch = source.Read(indices);
            return EightBitImages.From(batch.Images);
        }
    }

    /// <summary>Images as they are given, split where a batch is larger than the network gets at once.</summary>
    /// <param name="images">[B, C, H, W], floats in [−1, 1] or uint8; each is disposed.</param>
    /// <param name="batchSize">The most images of a batch.</param>
    /// <returns>[B, C, H, W], uint8, for the caller to dispose one by one.</returns>
    /// <exception cref="ArgumentException">Images have another shape than the first ones, or are no images: a NaN, say, from a network that diverged.</exception>
    public static IEnumerable<Tensor> Of(IEnumerable<Tensor> images, int batchSize)
    {
        var (shape, seen) = ((long[]?)null, 0L);
        foreach (var given in images)
        {
            using var batch = given;
            if (batch.dim() != 4 || batch.shape[0] < 1 || (shape is not null && !batch.shape.AsSpan(1).SequenceEqual(shape)))
            {
                throw new ArgumentException(
                    $"Images are [B, C, H, W], at least one, and all of one shape{(shape is null ? "" : $", here [B, {string.Join(", ", shape)}]")}; a batch is [{string.Join(", ", batch.shape)}].", nameof(images));
            }

            shape ??= batch.shape[1..];
            for (var first = 0L; first < batch.shape[0]; first += batchSize)
            {
                using var part = batch.narrow(0, first, Math.Min(batchSize, batch.shape[0] - first));
                yield return part.dtype == ScalarType.Byte ? part.clone() : Rounded(part, seen);
                seen += part.shape[0];
            }
        }
    }

    /// <summary>All images of a source, or a choice of them, in their order.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="max">How many are wanted.</param>
    /// <param name="seed">Of the choice.</param>
    public static int[] Choose(int count, long max, long seed)
    {
        if (count <= max)
        {
            return [.. Enumerable.Range(0, count)];
        }

        var order = new Permutation(count, seed);
        return [.. Enumerable.Range(0, (int)max).Select(i => order.At(i)).Order()];
    }

    private static Tensor Rounded(Tensor images, long first)
    {
        try
        {
            return EightBitImages.From(images);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Images {first} to {first + images.shape[0] - 1} cannot be measured. {e.Message}", e);
        }
    }
}
