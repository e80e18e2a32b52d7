using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>In the place of a network where images are compared by their pixels alone: no feature.</summary>
internal sealed class NoFeatures : IFeatureExtractor
{
    /// <inheritdoc/>
    public string Name => "none";

    /// <inheritdoc/>
    public int Features => 0;

    /// <inheritdoc/>
    public Tensor Extract(Tensor images) => empty([images.shape[0], 0], dtype: ScalarType.Float32);

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
