using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

/// <summary>Random images of 1×4×4 with labels 0 to 2.</summary>
internal sealed class NoiseImages : IImageSource
{
    public string Name => "noise";

    public int Count => 30;

    public ImageShape Shape => new(1, 4, 4);

    public int Classes { get; init; } = 3;

    public (double Min, double Max)? Range => null;

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var generator = new Generator((ulong)indices[0], CPU);
        var images = randn([indices.Length, 1, 4, 4], ScalarType.Float32, generator: generator);
        return new ImageBatch(images, tensor(indices.ToArray().Select(i => (long)i % 3).ToArray()));
    }

    public void Dispose()
    {
    }
}
