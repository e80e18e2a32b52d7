using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>Latents of an autoencoder in memory, each with an encoded caption.</summary>
internal sealed class LatentImages(Tensor latents, Tensor captions) : IImageSource
{
    public string Name => "latents";

    public int Count => (int)latents.shape[0];

    public ImageShape Shape => new((int)latents.shape[1], (int)latents.shape[2], (int)latents.shape[3]);

    public int Classes => 0;

    public (double Min, double Max)? Range => null; // any finite values; [−1, 1] by default

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var rows = tensor(indices.ToArray()).to(ScalarType.Int64);
        return new ImageBatch(latents.index_select(0, rows), context: captions.index_select(0, rows)); // captions: [N, L, D]
    }

    public void Dispose()
    {
        latents.Dispose();
        captions.Dispose();
    }
}
