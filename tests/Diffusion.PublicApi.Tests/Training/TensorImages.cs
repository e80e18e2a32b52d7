using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>Images in memory, with or without labels.</summary>
internal sealed class TensorImages(Tensor images, Tensor? labels = null, int classes = 0) : IImageSource
{
    public string Name => "images in memory";

    public int Count => (int)images.shape[0];

    public ImageShape Shape => new((int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);

    public int Classes => classes;

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var wanted = tensor(indices.ToArray()).to(ScalarType.Int64);
        return new ImageBatch(images.index_select(0, wanted), labels?.index_select(0, wanted));
    }

    public void Dispose()
    {
        images.Dispose();
        labels?.Dispose();
    }
}
