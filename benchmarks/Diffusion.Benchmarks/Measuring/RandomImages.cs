using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Images of evenly distributed pixels in [−1, 1], drawn once.</summary>
internal sealed class RandomImages : IImageSource
{
    private readonly Tensor _images;

    public RandomImages(ImageShape shape, int count, Device? device = null)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        Shape = shape;
        _images = rand(shape.Batch(count), ScalarType.Float32, generator: generator).mul_(2).sub_(1).to(device ?? CPU).DetachFromDisposeScope();
    }

    public string Name => "random images";

    public int Count => (int)_images.shape[0];

    public ImageShape Shape { get; }

    public int Classes => 0;

    /// <summary>All of them, [B, C, H, W].</summary>
    public Tensor All => _images;

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var positions = tensor(indices.ToArray(), ScalarType.Int64, _images.device);
        return new ImageBatch(_images.index_select(0, positions));
    }

    public void Dispose() => _images.Dispose();
}
