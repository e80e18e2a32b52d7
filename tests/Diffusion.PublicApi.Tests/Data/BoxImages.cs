using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>White boxes on black, 1×16×16: drawn anew every time, narrow (label 0) or wide (label 1).</summary>
internal sealed class BoxImages(int count) : IImageSource
{
    public string Name => "boxes";

    public int Count => count;

    public ImageShape Shape => new(1, 16, 16);

    public int Classes => 2;

    /// <summary>By label.</summary>
    public IReadOnlyList<string> ClassNames => ["narrow", "wide"];

    /// <summary>What decides how the boxes are drawn: to be changed when the code is.</summary>
    public IReadOnlyDictionary<string, string> Fingerprint => new Dictionary<string, string> { ["drawn by"] = "version 1" };

    /// <summary>A quarter is wide; a class-balanced order draws them as often as the others.</summary>
    public IReadOnlyList<long> Labels { get; } = [.. Enumerable.Range(0, count).Select(i => i % 4 == 0 ? 1L : 0L)];

    /// <summary>Without seeds: always the same image for the same index.</summary>
    public ImageBatch Read(ReadOnlySpan<int> indices) => Read(indices, Array.ConvertAll(indices.ToArray(), i => (long)i));

    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds)
    {
        using var scope = NewDisposeScope();
        var images = full(Shape.Batch(indices.Length), -1f);
        for (var i = 0; i < indices.Length; i++)
        {
            var random = new SeededRandom(seeds[i]); // everything that varies comes from the image's seed
            var width = Labels[indices[i]] == 0 ? 3 : 9;
            images[i].narrow(1, random.Next(8), 8).narrow(2, random.Next(16 - width), width).fill_(1);
        }

        var labels = tensor(Array.ConvertAll(indices.ToArray(), i => Labels[i]));
        return new ImageBatch(images.DetachFromDisposeScope(), labels.DetachFromDisposeScope()); // the caller owns them
    }

    public void Dispose()
    {
    }
}
