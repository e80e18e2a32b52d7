namespace Diffusion;

/// <summary>Options that every sampler has. Samplers with more have a record derived from it.</summary>
public record SamplerOptions : IValidatedOptions
{
    /// <summary>Where the steps lie; <see langword="null"/> (default) for the sampler's own spacing, in general <see cref="StepSpacing.Trailing"/>.</summary>
    public StepSpacing? Spacing { get; init; }

    /// <summary>
    /// Whether a run begins with σ·ε, as in the code of EDM, k-diffusion and lucidrains, or with √(α² + σ²)·ε (default), which has the standard deviation of noisy images of
    /// unit variance. The two differ where the first level is not pure noise. <see cref="HeunOptions.Edm"/> begins with σ·ε, a scheduler of diffusers as its class does
    /// (<c>init_noise_sigma</c>); <see cref="Sampler.Continue"/> takes any other start.
    /// </summary>
    public bool StartsAtSigma { get; init; }

    /// <inheritdoc/>
    public virtual IEnumerable<OptionsError> Validate() => [];

    /// <summary>η: at least 0, infinity included.</summary>
    private protected static IEnumerable<OptionsError> EtaErrors(double eta) =>
        eta >= 0 ? [] : [new OptionsError("Eta", FormattableString.Invariant($"must be at least 0; it is {eta}."))];

    private protected static IEnumerable<OptionsError> ChurnErrors(Churn? churn) =>
        churn?.Validate().Select(error => error.Under(nameof(Churn))) ?? [new OptionsError(nameof(Churn), $"must be a churn, {nameof(Churn)}.{nameof(Churn.None)} for none; it is null.")];

    /// <summary>Finite and above 0.</summary>
    private protected static IEnumerable<OptionsError> PositiveErrors(double value, string path) =>
        double.IsFinite(value) && value > 0 ? [] : [new OptionsError(path, FormattableString.Invariant($"must be finite and above 0; it is {value}."))];
}
