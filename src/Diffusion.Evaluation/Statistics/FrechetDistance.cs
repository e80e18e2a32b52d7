using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>How far two sets of images are apart: the squared Fréchet (Wasserstein-2) distance of the Gaussians with the means and covariances of their features. With features of Inception it is FID.</summary>
/// <remarks>
/// <para>
/// |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), arXiv:1706.08500, Eq. 6. The trace of the root is the sum of the singular values of R₁R₂ᵀ, with Σ = RᵀR: that of Σ₁^½ Σ₂ Σ₁^½'s roots, without a root of a product of matrices, which
/// is imaginary by rounding where a covariance is singular. So fewer images than features are allowed; the rank is said then.
/// </para>
/// <para>
/// The distance of finite sets is biased upwards, by an amount that depends on their distribution (arXiv:1911.07023). The bias given is that of two sets of n and m images of one Gaussian with the reference's covariance, to
/// first order: (1/n + 1/m)·(tr Σ + ½ Σᵢⱼ λᵢλⱼ(1 + δᵢⱼ)/(λᵢ + λⱼ)), λ the eigenvalues of Σ. The distance of Σ and Σ + dΣ is ½ Σᵢⱼ dΣᵢⱼ²/(λᵢ + λⱼ), the metric of Bures (Bhatia, Jain and Lim, On the Bures–Wasserstein distance between positive
/// definite matrices, 2019), and dΣᵢⱼ has the variance λᵢλⱼ(1 + δᵢⱼ)/n. It needs many more images than features to be near; real features are no Gaussian.
/// </para>
/// </remarks>
public static class FrechetDistance
{
    /// <summary>The distance.</summary>
    /// <param name="images">Statistics of the images.</param>
    /// <param name="reference">Statistics of the images that they are compared with, by the same features.</param>
    /// <returns>The distance, at least 0, in squared units of the features, without a standard error; with its bias where both numbers of images are known.</returns>
    /// <exception cref="ArgumentException">The numbers of features differ, or a matrix is no covariance.</exception>
    public static DistanceEstimate Between(FeatureStatistics images, FeatureStatistics reference)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(reference);
        if (images.Features != reference.Features)
        {
            throw new ArgumentException($"Sets are compared by the same features; '{images.Source}' has {images.Features}, the reference '{reference.Source}' {reference.Features}.", nameof(images));
        }

        var (mine, other) = (images.Factor, reference.Factor);
        var value = Math.Max(0, Means(images, reference) + Trace(images) + Trace(reference) - (2 * mine.TraceOfRoot(other)));
        return new(value, StandardError: null, Bias(images, reference), images.Images, reference.Images) { Remark = Remark((mine.Rank, images.Type), (other.Rank, reference.Type), images.Features) };
    }

    private static double Means(FeatureStatistics images, FeatureStatistics reference)
    {
        var sum = 0.0;
        for (var i = 0; i < images.Features; i++)
        {
            var apart = images.Means[i] - reference.Means[i];
            sum += apart * apart;
        }

        return sum;
    }

    private static double Trace(FeatureStatistics statistics)
    {
        var sum = 0.0;
        for (var i = 0; i < statistics.Features; i++)
        {
            sum += statistics.Covariances[(i * statistics.Features) + i];
        }

        return sum;
    }

    private static double? Bias(FeatureStatistics images, FeatureStatistics reference)
    {
        if (images.Images is not { } n || reference.Images is not { } m)
        {
            return null;
        }

        double[] variances = [.. reference.Variances];
        var covariances = 0.0;
        for (var i = 0; i < variances.Length; i++)
        {
            covariances += variances[i] / 2; // i = j: 2λ²/(2λ), halved
            for (var j = 0; j < i && variances[i] > 0; j++)
            {
                covariances += variances[j] * (variances[i] / (variances[i] + variances[j])); // both (i, j) and (j, i)
            }
        }

        return ((1.0 / n) + (1.0 / m)) * (variances.Sum() + covariances);
    }

    private static string? Remark((int Rank, ScalarType Type) images, (int Rank, ScalarType Type) reference, int features) => (images.Rank < features, reference.Rank < features) switch
    {
        (true, true) => $"both covariances are singular: rank {Text(images)} and, of the reference, {Text(reference)} of {features} features",
        (true, false) => $"the covariance of the images is singular: rank {Text(images)} of {features} features",
        (false, true) => $"the covariance of the reference is singular: rank {Text(reference)} of {features} features",
        _ => null,
    };

    private static string Text((int Rank, ScalarType Type) of) => of.Type == ScalarType.Float64 ? $"{of.Rank}" : $"{of.Rank} (to the rounding of {of.Type})";
}
