using Diffusion.Evaluation;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Images with their features, logits and labels. Owns its tensors.</summary>
public sealed class MeasuredSet : IDisposable
{
    private const int BatchSize = 250;

    /// <summary>Computes the features; the images and labels are copied.</summary>
    /// <param name="classifier">The network.</param>
    /// <param name="images">[N, C, H, W], uint8.</param>
    /// <param name="labels">The classes that the images should be of.</param>
    public MeasuredSet(IImageClassifier classifier, Tensor images, IEnumerable<long> labels)
    {
        using var scope = NewDisposeScope();
        var (features, logits) = (new List<Tensor>(), new List<Tensor>());
        for (var first = 0L; first < images.shape[0]; first += BatchSize)
        {
            var (some, votes) = classifier.Classify(images.narrow(0, first, Math.Min(BatchSize, images.shape[0] - first)));
            features.Add(some);
            logits.Add(votes);
        }

        (Images, Features, Logits, Labels) = (images.clone().DetachFromDisposeScope(), cat(features).DetachFromDisposeScope(), cat(logits).DetachFromDisposeScope(), [.. labels]);
    }

    public Tensor Images { get; }

    public Tensor Features { get; }

    public Tensor Logits { get; }

    public IReadOnlyList<long> Labels { get; }

    /// <summary>The share of the images that are of their label, by the classifier.</summary>
    public double Accuracy()
    {
        using var classes = Logits.argmax(1);
        return classes.data<long>().ToArray().Zip(Labels, (found, label) => found == label ? 1.0 : 0).Average();
    }

    public void Dispose()
    {
        Images.Dispose();
        Features.Dispose();
        Logits.Dispose();
    }
}
