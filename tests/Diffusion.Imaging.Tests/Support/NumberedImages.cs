using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

/// <summary>Images whose every pixel is different: (1000·index + position) / 10000, with labels index mod 3.</summary>
public sealed class NumberedImages(ImageShape shape, int count = 1000) : IImageSource
{
    public string Name => "numbered";

    public int Count => count;

    public ImageShape Shape => shape;

    public int Classes => 3;

    public (double Min, double Max)? Range => null;

    public IReadOnlyList<long> Labels => [.. Enumerable.Range(0, count).Select(i => (long)(i % 3))];

    /// <summary>The seeds of the last read.</summary>
    public long[] Seeds { get; private set; } = [];

    public bool Disposed { get; private set; }

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var scope = NewDisposeScope();
        var images = (tensor(indices.ToArray().Select(i => 1000f * i).ToArray()).view(-1, 1, 1, 1)
            + arange(shape.Channels * shape.Height * shape.Width).view(1, shape.Channels, shape.Height, shape.Width)) / 10000;
        return new ImageBatch(images.DetachFromDisposeScope(), tensor(indices.ToArray().Select(i => (long)(i % 3)).ToArray()).DetachFromDisposeScope());
    }

    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds)
    {
        Seeds = seeds.ToArray();
        return Read(indices);
    }

    public void Dispose() => Disposed = true;
}
