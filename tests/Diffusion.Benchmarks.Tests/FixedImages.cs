using static TorchSharp.torch;

namespace Diffusion.Benchmarks.Tests;

/// <summary>A source that always gives the same batch.</summary>
internal sealed class FixedImages(Tensor images) : IImageSource
{
    public string Name => "fixed images";

    public int Count => (int)images.shape[0];

    public ImageShape Shape => new((int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);

    public int Classes => 0;

    public ImageBatch Read(ReadOnlySpan<int> indices) => new(images.clone());

    public void Dispose()
    {
    }
}
