using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>A network that describes images by numbers and tells what they show.</summary>
public interface IImageClassifier : IFeatureExtractor
{
    /// <summary>The names of the classes, by label.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>Features and classes of a batch, in one evaluation of the network.</summary>
    /// <param name="images">[B, C, H, W], uint8, 0 to 255.</param>
    /// <returns>The features, [B, D], and the logits, [B, classes], float32, on the CPU, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have a shape that the network does not take, or are not uint8.</exception>
    (Tensor Features, Tensor Logits) Classify(Tensor images);
}
