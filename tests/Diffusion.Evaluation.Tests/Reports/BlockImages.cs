using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Random 8-bit images of 8×8, every second one brighter on the left (label 0), the others on the right.</summary>
internal sealed class BlockImages : IImageSource
{
    private readonly Tensor _pixels;

    public BlockImages(int count, long seed, int size = 8)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var noise = randint(0, 100, [count, 1, size, size], ScalarType.Int64, generator: generator);
        for (var i = 0; i < count; i++)
        {
            noise[i].narrow(2, i % 2 * size / 2, size / 2).add_(120);
        }

        _pixels = noise.to(ScalarType.Byte).DetachFromDisposeScope();
        (Count, Shape, Name) = (count, new ImageShape(1, size, size), $"blocks {seed}");
        Labels = [.. Enumerable.Range(0, count).Select(i => (long)(i % 2))];
    }

    public string Name { get; }

    public int Count { get; }

    public ImageShape Shape { get; }

    public int Classes => 2;

    public IReadOnlyList<string> ClassNames { get; } = ["left", "right"];

    public IReadOnlyList<long>? Labels { get; }

    public (double Min, double Max)? Range { get; init; } = (-1, 1);

    /// <summary>[N, 1, H, W], uint8.</summary>
    public Tensor Pixels => _pixels.clone();

    /// <summary>In batches of so many.</summary>
    public IEnumerable<Tensor> Batches(int size) => Enumerable.Range(0, Count).Chunk(size).Select(part =>
    {
        using var view = _pixels.narrow(0, part[0], part.Length);
        return view.clone();
    });

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var index = tensor(Array.ConvertAll(indices.ToArray(), i => (long)i));
        using var chosen = _pixels.index_select(0, index);
        return new ImageBatch(EightBitImages.ToFloat(chosen).DetachFromDisposeScope(), tensor(Array.ConvertAll(indices.ToArray(), i => Labels![i])).DetachFromDisposeScope());
    }

    public void Dispose() => _pixels.Dispose();
}
