using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Observers;

/// <summary>The pixels of 1×4×4 images as they are, 0 to 255.</summary>
internal sealed class PixelFeatures : IFeatureExtractor
{
    public string Name { get; init; } = "pixels";

    public int Features => TinyNetwork.Pixels;

    /// <summary>The first pixel of every image so far.</summary>
    public List<int> First { get; } = [];

    public Tensor Extract(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        Assert.Equal(ScalarType.Byte, images.dtype);
        if (!images.shape.AsSpan(1).SequenceEqual([1L, 4, 4]))
        {
            throw new ArgumentException($"Images of 1×4×4 are needed; they are [{string.Join(", ", images.shape)}].", nameof(images));
        }

        using var flat = images.flatten(1);
        First.AddRange(images.data<byte>().ToArray().Chunk(TinyNetwork.Pixels).Select(image => (int)image[0]));
        return flat.to(ScalarType.Float32);
    }

    public void Dispose()
    {
    }
}
