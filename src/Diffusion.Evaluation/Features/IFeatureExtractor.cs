using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>A network that describes images by numbers, in which distances between sets of images are measured. Used by one thread at a time.</summary>
public interface IFeatureExtractor : IDisposable
{
    /// <summary>What the features are and which weights they come from: figures with another name cannot be compared. Written beside every figure and into files of statistics.</summary>
    string Name { get; }

    /// <summary>The number of features of an image, D, at least 1.</summary>
    int Features { get; }

    /// <summary>The features of a batch. The features of an image do not depend on the other images of the batch, apart from rounding.</summary>
    /// <param name="images">[B, C, H, W], uint8, 0 to 255: what an image file would hold.</param>
    /// <returns>[B, D], float32, on the CPU, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have a shape that the network does not take, or are not uint8.</exception>
    Tensor Extract(Tensor images);
}
