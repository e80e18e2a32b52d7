using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Random 1×4×4 images in memory.</summary>
public sealed class MemoryImages : IImageSource
{
    private readonly Tensor _images;

    public MemoryImages(int count = 40)
    {
        using var generator = new Generator(11);
        _images = rand([count, 1, 4, 4], ScalarType.Float32, generator: generator).mul_(2).sub_(1).DetachFromDisposeScope();
    }

    public string Name => "memory";

    public int Count => (int)_images.shape[0];

    public ImageShape Shape { get; init; } = new(1, 4, 4);

    public int Classes => 0;

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var index = tensor(indices.ToArray().Select(i => (long)i).ToArray());
        return new ImageBatch(_images.index_select(0, index));
    }

    public void Dispose() => _images.Dispose();
}
