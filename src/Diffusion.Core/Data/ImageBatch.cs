using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Images and, where the source has them, their labels or contexts. Owns its tensors.</summary>
public sealed class ImageBatch : IDisposable
{
    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="images">Float32, [B, C, H, W], values in <see cref="IImageSource.Range"/>.</param>
    /// <param name="labels">Int64, [B], or <see langword="null"/> where the images have no labels.</param>
    /// <param name="context">[B, L, D], such as encoded texts, or <see langword="null"/> where the images have none.</param>
    public ImageBatch(Tensor images, Tensor? labels = null, Tensor? context = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        (Images, Labels, Context) = (images, labels, context);
    }

    /// <summary>Float32, [B, C, H, W], values in <see cref="IImageSource.Range"/>.</summary>
    public Tensor Images { get; }

    /// <summary>Int64, [B], or <see langword="null"/> where the images have no labels.</summary>
    public Tensor? Labels { get; }

    /// <summary>[B, L, D], or <see langword="null"/> where the images have no context.</summary>
    public Tensor? Context { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Labels?.Dispose();
        Context?.Dispose();
    }

    /// <summary>Part of the batch: views, which the caller disposes.</summary>
    internal ImageBatch Part(int first, int count) =>
        new(Images.narrow(0, first, count), Labels?.narrow(0, first, count), Context?.narrow(0, first, count));

    /// <summary>The batch with another form of each tensor, for the caller to dispose.</summary>
    internal ImageBatch Select(Func<Tensor, Tensor> map) => new(map(Images), Labels is null ? null : map(Labels), Context is null ? null : map(Context));
}
