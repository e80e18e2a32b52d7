using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Values of any size, of which some batches, counted from 1, are so large that their loss overflows.</summary>
internal sealed class FaultyImages(params int[] batches) : IImageSource
{
    private readonly MemoryImages _images = new();
    private int _batch;

    public string Name => "faulty";

    public int Count => _images.Count;

    public ImageShape Shape => _images.Shape;

    public int Classes => 0;

    public (double Min, double Max)? Range => null;

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        var batch = _images.Read(indices);
        if (batches.Contains(++_batch))
        {
            batch.Images.fill_(3e30f);
        }

        return batch;
    }

    public void Dispose() => _images.Dispose();
}
