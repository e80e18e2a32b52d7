using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>How far two sets of features are apart: the squared Fréchet (Wasserstein-2) distance of the Gaussians with their means and covariances.</summary>
/// <remarks>
/// |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), arXiv:1706.08500, Eq. 6. Σ₁Σ₂ has the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is symmetric. Sets that are drawn alike are not at 0 but the farther apart the smaller they are.
/// </remarks>
internal static class FrechetDistance
{
    /// <param name="first">[N, F].</param>
    /// <param name="second">[M, F].</param>
    /// <returns>The distance, at least 0.</returns>
    /// <exception cref="ArgumentException">A set has not more images than features, so that its covariance is singular, or the features differ in number.</exception>
    public static double Between(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var (firstMean, firstCovariance) = Moments(first, nameof(first));
        var (secondMean, secondCovariance) = Moments(second, nameof(second));
        return OfGaussians(firstMean, firstCovariance, secondMean, secondCovariance);
    }

    /// <param name="firstMean">[F].</param>
    /// <param name="firstCovariance">[F, F], symmetric, no eigenvalue below 0.</param>
    /// <param name="secondMean">[F].</param>
    /// <param name="secondCovariance">[F, F], likewise.</param>
    /// <returns>The distance, at least 0.</returns>
    /// <exception cref="ArgumentException">The features differ in number.</exception>
    public static double OfGaussians(Tensor firstMean, Tensor firstCovariance, Tensor secondMean, Tensor secondCovariance)
    {
        if (firstMean.shape[0] != secondMean.shape[0])
        {
            throw new ArgumentException($"Sets are compared by the same features; the first has {firstMean.shape[0]}, the second {secondMean.shape[0]}.", nameof(secondMean));
        }

        using var scope = NewDisposeScope();
        var root = Root(firstCovariance.to(ScalarType.Float64));
        var both = root.matmul(secondCovariance.to(ScalarType.Float64)).matmul(root);
        var means = (firstMean - secondMean).to(ScalarType.Float64).square().sum();
        var traces = (firstCovariance.diagonal() + secondCovariance.diagonal()).to(ScalarType.Float64).sum();
        return Math.Max(0, (means + traces - (2 * Roots(linalg.eigvalsh(both)).sum())).item<double>());
    }

    private static (Tensor Mean, Tensor Covariance) Moments(Tensor features, string name)
    {
        var (images, count) = (features.shape[0], features.shape[1]);
        if (images <= count)
        {
            throw new ArgumentException($"The covariance of {count} features needs more than {count} images; there are {images}.", name);
        }

        var values = features.to(ScalarType.Float64);
        var mean = values.mean([0]);
        var centred = values - mean;
        return (mean, centred.t().matmul(centred) / (images - 1));
    }

    private static Tensor Root(Tensor symmetric)
    {
        var (values, vectors) = linalg.eigh(symmetric);
        return (vectors * Roots(values)).matmul(vectors.t());
    }

    /// <summary>Rounding makes eigenvalues that are 0 a little negative.</summary>
    private static Tensor Roots(Tensor eigenvalues) => eigenvalues.clamp_min(0).sqrt();
}
