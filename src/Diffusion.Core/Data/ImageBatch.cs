using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Images and, where the source has them, their labels. Owns its tensors.</summary>
public sealed class ImageBatch : IDisposable
{
    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="images">Float32, [B, C, H, W], values in [−1, 1].</param>
    /// <param name="labels">Int64, [B], or <see langword="null"/> where the images have no labels.</param>
    public ImageBatch(Tensor images, Tensor? labels = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        Images = images;
        Labels = labels;
    }

    /// <summary>Float32, [B, C, H, W], values in [−1, 1].</summary>
    public Tensor Images { get; }

    /// <summary>Int64, [B], or <see langword="null"/> where the images have no labels.</summary>
    public Tensor? Labels { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Labels?.Dispose();
    }
}
