namespace Diffusion;

/// <summary>What a network is trained for. Every part is independent of the others and of what the network predicts.</summary>
/// <remarks>
/// The defaults are Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 14. Immiscible noise: arXiv:2406.12303. Self-conditioning: Analog
/// Bits, arXiv:2208.04202, section 3.2.
/// </remarks>
public sealed record TrainingObjective : IValidatedOptions
{
    /// <summary>How far a prediction is from its target; the mean squared error by default.</summary>
    public LossFunction Loss { get; init; } = LossFunction.Mse;

    /// <summary>How much each noise level counts; all alike by default.</summary>
    public LossWeighting Weighting { get; init; } = LossWeighting.Uniform;

    /// <summary>Which noise levels are trained; all timesteps alike by default.</summary>
    public TimestepDistribution Timesteps { get; init; } = TimestepDistribution.Uniform;

    /// <summary>The standard deviation of a constant added to the noise of each channel of each image, at least 0, so that brightness is learned too; 0 by default, 0.1 is usual.</summary>
    public double OffsetNoise { get; init; }

    /// <summary>Whether each image is given the noise of the batch that lies near it; off by default.</summary>
    public bool Immiscible { get; init; }

    /// <summary>
    /// The share of batches, in [0, 1], in which the network is also given its own estimate x̂₀; zeros in the others. The network then takes twice the
    /// channels, the estimate first. <see langword="null"/>, the default: the network takes the noisy images only.
    /// </summary>
    public double? SelfConditioning { get; init; }

    /// <summary>
    /// The share of samples, in [0, 1), that are trained with the null condition in place of their own, for classifier-free guidance (arXiv:2207.12598, algorithm 1). <see langword="null"/> (default): 0.1 where the
    /// trainer has a null condition, none where it has not.
    /// </summary>
    public double? ConditionDropout { get; init; }

    /// <summary>The part of the variational bound; <see langword="null"/>, none, by default.</summary>
    public VariationalTerm? Variational { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(OffsetNoise, nameof(OffsetNoise), 0.0),
        .. OptionsValidation.Range(SelfConditioning ?? 0, nameof(SelfConditioning), 0, 1.0),
        .. OptionsValidation.Range(ConditionDropout ?? 0, nameof(ConditionDropout), 0, 0.999999),
        .. Loss is null ? [new OptionsError(nameof(Loss), "must be given; it is null.")] : Array.Empty<OptionsError>(),
        .. Weighting is null ? [new OptionsError(nameof(Weighting), "must be given; it is null.")] : Array.Empty<OptionsError>(),
        .. Timesteps is null ? [new OptionsError(nameof(Timesteps), "must be given; it is null.")] : Array.Empty<OptionsError>(),
    ];
}
