using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>The mean of each quarter of an image, exact in float32; the class is the brighter half, left or right.</summary>
internal sealed class BlockFeatures : IImageClassifier
{
    public string Name => "blocks-1";

    public int Features => 4;

    public IReadOnlyList<string> ClassNames { get; } = ["left", "right"];

    /// <summary>How many images it has seen.</summary>
    public long Seen { get; private set; }

    public Tensor Extract(Tensor images)
    {
        if (images.dtype != ScalarType.Byte)
        {
            throw new ArgumentException($"uint8 is needed; the images are {images.dtype}.", nameof(images));
        }

        Seen += images.shape[0];
        using var scope = NewDisposeScope();
        var (half, side) = (images.shape[2] / 2, images.shape[3] / 2);
        return images.to(ScalarType.Float32).view(-1, 2, half, 2, side).mean([2, 4]).reshape(-1, 4).MoveToOuterDisposeScope();
    }

    public (Tensor Features, Tensor Logits) Classify(Tensor images)
    {
        var features = Extract(images);
        using var scope = NewDisposeScope();
        var logits = features.view(-1, 2, 2).mean([1]) / 8;
        return (features, logits.MoveToOuterDisposeScope());
    }

    public void Dispose()
    {
    }
}
