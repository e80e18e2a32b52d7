using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Mean and covariance of the features of a set of images. Owns its tensors.</summary>
public sealed class FeatureStatistics : IDisposable
{
    /// <summary>Takes both tensors over.</summary>
    public FeatureStatistics(Tensor mean, Tensor covariance, long? images, string source) =>
        (Mean, Covariance, Images, Source) = (mean, covariance, images, source);

    /// <summary>The number of images; <see langword="null"/> where a file does not say.</summary>
    public long? Images { get; }

    /// <summary>The mean, [D], float64.</summary>
    public Tensor Mean { get; }

    /// <summary>The covariance, [D, D], float64, divided by the number of images − 1.</summary>
    public Tensor Covariance { get; }

    /// <summary>What the statistics were made from.</summary>
    public string Source { get; }

    /// <summary>Statistics of features, [N, D].</summary>
    public static FeatureStatistics Of(Tensor features, string source) => throw new NotSupportedException();

    /// <summary>Reads an <c>.npz</c>.</summary>
    public static FeatureStatistics Read(string path) => throw new NotSupportedException();

    /// <summary>Writes an <c>.npz</c>.</summary>
    public void Write(string path) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
        Mean.Dispose();
        Covariance.Dispose();
    }
}
