using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Images of which some batches, counted from 1, hold a value that is not an image's.</summary>
internal sealed class FaultyImages(float value, params int[] batches) : IImageSource
{
    private readonly MemoryImages _images = new();
    private int _batch;

    public string Name => "faulty";

    public int Count => _images.Count;

    public ImageShape Shape => _images.Shape;

    public int Classes => 0;

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        var batch = _images.Read(indices);
        if (batches.Contains(++_batch))
        {
            batch.Images.fill_(value);
        }

        return batch;
    }

    public void Dispose() => _images.Dispose();
}
