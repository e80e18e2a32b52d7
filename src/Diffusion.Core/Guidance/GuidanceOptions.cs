namespace Diffusion;

/// <summary>How far a prediction is pushed away from a worse one.</summary>
/// <remarks>
/// Scale: Classifier-Free Diffusion Guidance, arXiv:2207.12598, Eq. 6, whose w is Scale − 1.
/// Rescale: Common Diffusion Noise Schedules and Sample Steps are Flawed, arXiv:2305.08891, section 3.4, Eq. 15 and 16.
/// Eta: Eliminating Oversaturation and Artifacts of High Guidance Scales (APG), arXiv:2410.02416, adaptive projected guidance; without
/// the paper's momentum and norm bound.
/// SigmaMin and SigmaMax: Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in Diffusion Models, arXiv:2404.07724; its σ is the noise of x/α, so that
/// the interval means the same for every family of levels.
/// </remarks>
public sealed record GuidanceOptions : IValidatedOptions
{
    /// <summary>
    /// w in x̂₀ = worse + w·(better − worse), any finite number: 1 (default) is the better prediction alone, 0 the worse one alone, above 1
    /// is guidance.
    /// </summary>
    public double Scale { get; init; } = 1;

    /// <summary>
    /// φ in [0, 1], 0 by default: how much of the growth of each image's standard deviation over C, H and W, against that of the better
    /// prediction, is taken back.
    /// </summary>
    public double Rescale { get; init; }

    /// <summary>η in [0, 1]: the share that is kept of the update's component parallel to the better prediction; 1 by default, all of it. That component saturates colours.</summary>
    public double Eta { get; init; } = 1;

    /// <summary>There is guidance above this σ/α, finite and at least 0; 0 by default. Elsewhere the better prediction is taken.</summary>
    public double SigmaMin { get; init; }

    /// <summary>There is guidance up to this σ/α, itself included, above <see cref="SigmaMin"/>; infinity by default.</summary>
    public double SigmaMax { get; init; } = double.PositiveInfinity;

    /// <summary>
    /// In what <see cref="Rescale"/> and <see cref="Eta"/> measure; without them it makes no difference. x̂₀ by default, which is
    /// finite at every level; the network's own parameterization gives what pipelines do that combine outputs of the network. Where that
    /// one's coefficients are not finite or are 0 (ε at α = 0 or σ = 0), x̂₀ is taken.
    /// </summary>
    public Parameterization Space { get; init; } = Parameterization.Image;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        if (!double.IsFinite(Scale))
        {
            yield return new OptionsError(nameof(Scale), FormattableString.Invariant($"must be a finite number; it is {Scale}."));
        }

        if (Space is null)
        {
            yield return new OptionsError(nameof(Space), "must be a parameterization; it is null.");
        }

        if (!(SigmaMax > SigmaMin))
        {
            yield return new OptionsError(nameof(SigmaMax), FormattableString.Invariant($"must be above {nameof(SigmaMin)}, {SigmaMin}; it is {SigmaMax}."));
        }

        foreach (var error in OptionsValidation.Range(SigmaMin, nameof(SigmaMin), 0).Concat(OptionsValidation.Range(Rescale, nameof(Rescale), 0, 1)).Concat(OptionsValidation.Range(Eta, nameof(Eta), 0, 1)))
        {
            yield return error;
        }
    }

    /// <summary>Whether there is guidance at a level.</summary>
    internal bool Includes(NoiseLevel level) => (SigmaMin == 0 || level.Ratio > SigmaMin) && level.Ratio <= SigmaMax;
}
