using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The Gaussian p(x_{t−1} | x_t) of a trained network. Owns its tensors.</summary>
internal sealed class ReverseDistribution : IDisposable
{
    internal ReverseDistribution(Tensor mean, Tensor logVariance, Tensor image) => (Mean, LogVariance, Image) = (mean, logVariance, image);

    /// <summary>The mean, [B, …].</summary>
    public Tensor Mean { get; }

    /// <summary>The logarithm of the variance, [B, …].</summary>
    public Tensor LogVariance { get; }

    /// <summary>x̂₀, [B, …], clipped unless there is no clipping.</summary>
    public Tensor Image { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Mean.Dispose();
        LogVariance.Dispose();
        Image.Dispose();
    }
}
