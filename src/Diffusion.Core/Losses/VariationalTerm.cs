namespace Diffusion;

/// <summary>The part that the variational bound has in a training objective: what a learned variance is trained with.</summary>
/// <remarks>
/// Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, section 3.1 (Eq. 16: L_simple + λ·L_vlb, λ = 0.001). L_vlb is estimated by T times
/// the term of the timestep drawn, in bits per dimension, as in the code of the paper's authors.
/// </remarks>
public sealed record VariationalTerm
{
    private VariationalTerm(ReverseVariance variance, double weight, bool isWhole) => (Variance, Weight, IsWhole) = (variance, weight, isWhole);

    /// <summary>The variance of the reverse steps.</summary>
    public ReverseVariance Variance { get; }

    /// <summary>λ, the factor on T times the term of a timestep.</summary>
    public double Weight { get; }

    /// <summary>Whether the term is the whole objective, instead of being added to the loss.</summary>
    public bool IsWhole { get; }

    /// <summary>Added to the loss. Its gradient reaches the variance only, not the prediction.</summary>
    /// <param name="variance">Learned range by default.</param>
    /// <param name="weight">λ, above 0; 0.001 in the paper.</param>
    /// <returns>The term.</returns>
    /// <exception cref="ArgumentException">The variance is a fixed one, which such a term cannot train.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not a finite number above 0.</exception>
    public static VariationalTerm Hybrid(ReverseVariance variance = ReverseVariance.LearnedRange, double weight = 0.001) =>
        variance is ReverseVariance.Learned or ReverseVariance.LearnedRange
            ? new(variance, Positive(weight), false)
            : throw new ArgumentException($"A term beside the loss trains the variance, which must be {nameof(ReverseVariance.Learned)} or {nameof(ReverseVariance.LearnedRange)}; it is {variance}.", nameof(variance));

    /// <summary>The whole objective, prediction and variance alike.</summary>
    /// <param name="variance">Learned range by default.</param>
    /// <param name="weight">The factor on T times the term, above 0; 1 makes the mean loss the bound itself, without its prior.</param>
    /// <returns>The term.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not a finite number above 0.</exception>
    public static VariationalTerm Whole(ReverseVariance variance = ReverseVariance.LearnedRange, double weight = 1) => new(variance, Positive(weight), true);

    private static double Positive(double weight) => double.IsFinite(weight) && weight > 0
        ? weight
        : throw new ArgumentOutOfRangeException(nameof(weight), weight, "The weight must be a finite number above 0.");
}
