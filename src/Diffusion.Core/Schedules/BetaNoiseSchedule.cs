namespace Diffusion;

/// <summary>A variance-preserving schedule from any list of βs or ᾱs: α_t = √ᾱ_t, σ_t = √(1 − ᾱ_t), ᾱ_t = ∏ (1 − β_s) over s ≤ t.</summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 2 and 4.</remarks>
internal sealed class BetaNoiseSchedule : TabulatedNoiseSchedule
{
    /// <summary>Makes a schedule of <c>betas.Count</c> timesteps.</summary>
    /// <param name="betas">β_t for t = 0, 1, …: the variance of the noise that step t adds, each in (0, 1); the last may be 1.</param>
    /// <exception cref="ArgumentException">The list is empty or a β is outside (0, 1).</exception>
    public BetaNoiseSchedule(IEnumerable<double> betas)
        : this(VarianceTables.FromBetas(betas))
    {
    }

    private BetaNoiseSchedule((double[] Betas, double[] AlphaBars) tables)
        : base(tables)
    {
    }

    /// <summary>A schedule of exactly these ᾱs.</summary>
    /// <param name="alphaBars">ᾱ_t for t = 0, 1, …: strictly decreasing, each in (0, 1); the last may be 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">The list is empty, does not decrease, or leaves (0, 1).</exception>
    public static BetaNoiseSchedule FromAlphaBars(IEnumerable<double> alphaBars) => new(VarianceTables.FromAlphaBars(alphaBars));
}
