namespace Diffusion;

/// <summary>
/// The posterior q(x_s | x_t, x₀) of a less noisy image given a noisier one and the clean image: a Gaussian with mean
/// <c>ImageWeight·x₀ + NoisyWeight·x_t</c> and the given variance.
/// </summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 6 and 7, in the form that holds between any two levels
/// (Variational Diffusion Models, arXiv:2107.00630, appendix A.2), so that it serves subsets of the steps without further rules.
/// </remarks>
/// <param name="ImageWeight">The weight of x₀ in the mean.</param>
/// <param name="NoisyWeight">The weight of x_t in the mean.</param>
/// <param name="Variance">The variance, at least 0; 0 where the target level has no noise.</param>
internal readonly record struct Posterior(double ImageWeight, double NoisyWeight, double Variance)
{
    /// <summary>The posterior at level <paramref name="to"/> given level <paramref name="from"/>.</summary>
    /// <param name="from">The noisier level, σ &gt; 0.</param>
    /// <param name="to">The less noisy level; its σ/α is smaller.</param>
    /// <returns>The coefficients.</returns>
    /// <exception cref="ArgumentException">The levels are not in this order.</exception>
    public static Posterior Between(NoiseLevel from, NoiseLevel to)
    {
        if (!(to.Sigma * from.Alpha < from.Sigma * to.Alpha))
        {
            throw new ArgumentException(FormattableString.Invariant($"A reverse step goes to less noise; from (α {from.Alpha:R}, σ {from.Sigma:R}) to (α {to.Alpha:R}, σ {to.Sigma:R}) does not."), nameof(to));
        }

        var alphaRatio = from.Alpha / to.Alpha;
        var variance = from.Sigma * from.Sigma;
        var toVariance = to.Sigma * to.Sigma;
        var added = variance - (alphaRatio * alphaRatio * toVariance); // the noise between the levels: β_t for neighbouring ones
        return new Posterior(to.Alpha * added / variance, alphaRatio * toVariance / variance, added * toVariance / variance);
    }
}
