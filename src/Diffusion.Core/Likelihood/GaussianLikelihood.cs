using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Divergences and likelihoods of Gaussians, in nats, element by element.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 13 (the discretised decoder). The distribution function is the approximation by a
/// hyperbolic tangent that the code of the paper's and of arXiv:2102.09672's authors uses, so that published bits per dimension can be compared.
/// </remarks>
internal static class GaussianLikelihood
{
    private const double HalfBin = 1.0 / 255; // half the distance between two of 256 values in [−1, 1]
    private const double Edge = 0.999; // beyond it lie the first and the last value only
    private const double MinProbability = 1e-12;

    /// <summary>KL(N(mean, e^logVariance) ‖ N(otherMean, e^otherLogVariance)).</summary>
    /// <param name="mean">The mean of the first.</param>
    /// <param name="logVariance">The logarithm of its variance; broadcasts.</param>
    /// <param name="otherMean">The mean of the second.</param>
    /// <param name="otherLogVariance">The logarithm of its variance; broadcasts.</param>
    /// <returns>Nats for each element, for the caller to dispose.</returns>
    public static Tensor Divergence(Tensor mean, Tensor logVariance, Tensor otherMean, Tensor otherLogVariance)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(logVariance);
        ArgumentNullException.ThrowIfNull(otherMean);
        ArgumentNullException.ThrowIfNull(otherLogVariance);
        using var scope = NewDisposeScope();
        var variances = (otherLogVariance - logVariance).Plus((logVariance - otherLogVariance).exp());
        var means = (mean - otherMean).pow(Scalars.Two) * (-otherLogVariance).exp();
        return ((variances.Plus(means) - Scalars.One) * Scalars.Half).MoveToOuterDisposeScope();
    }

    /// <summary>Φ(x), to 2e-4: (1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.</summary>
    /// <param name="values">Any shape.</param>
    /// <returns>The shape of <paramref name="values"/>, for the caller to dispose.</returns>
    public static Tensor NormalDistribution(Tensor values)
    {
        ArgumentNullException.ThrowIfNull(values);
        using var scope = NewDisposeScope();
        using var three = 3.ToScalar();
        using var share = 0.044715.ToScalar();
        using var slope = Math.Sqrt(2 / Math.PI).ToScalar();
        return ((values.Plus(values.pow(three) * share) * slope).tanh().Plus(Scalars.One) * Scalars.Half).MoveToOuterDisposeScope();
    }

    /// <summary>The logarithm of the probability of 8-bit values under a Gaussian, each value standing for its bin; the outer bins are open.</summary>
    /// <param name="images">Values k/127.5 − 1, k from 0 to 255.</param>
    /// <param name="mean">The mean, the shape of <paramref name="images"/>.</param>
    /// <param name="logDeviation">The logarithm of the standard deviation; broadcasts.</param>
    /// <returns>Nats for each element, at least ln 1e-12, for the caller to dispose. Computed in the type of the images: in single precision, probabilities
    /// below 1e-7 are rounding errors.</returns>
    /// <exception cref="ArgumentException">The shapes of images and mean differ.</exception>
    public static Tensor DiscretizedLog(Tensor images, Tensor mean, Tensor logDeviation)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(logDeviation);
        Guard.SameShape(images, mean);
        using var scope = NewDisposeScope();
        var distance = images - mean;
        var scale = (-logDeviation).exp();
        using var halfBin = HalfBin.ToScalar();
        using var edge = Edge.ToScalar();
        using var otherEdge = (-Edge).ToScalar();
        var upper = NormalDistribution(scale * distance.Plus(halfBin));
        var lower = NormalDistribution(scale * (distance - halfBin));
        var first = Log(upper);
        var last = Log(lower.negative().Plus(Scalars.One));
        var between = Log(upper - lower);
        return where(images < otherEdge, first, where(images > edge, last, between)).MoveToOuterDisposeScope();
    }

    private static Tensor Log(Tensor probability)
    {
        using var min = MinProbability.ToScalar();
        return probability.clamp_min(min).log();
    }
}
