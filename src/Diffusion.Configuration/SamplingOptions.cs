namespace Diffusion.Configuration;

/// <summary>How images are made from the trained network.</summary>
public sealed record SamplingOptions : IValidatedOptions
{
    private const string Ddpm = "ddpm";

    /// <summary>The name of the sampler, one of <see cref="SamplerCatalog.Names"/>; <c>ddpm</c> by default.</summary>
    public string Sampler { get; init; } = Ddpm;

    /// <summary>The number of images, at least 1; 64 by default.</summary>
    public int Count { get; init; } = 64;

    /// <summary>The number of steps; <see langword="null"/> (default) for what the sampler makes of it, in general all training timesteps.</summary>
    public int? Steps { get; init; }

    /// <summary>Where the steps lie, by the name of one of <see cref="StepSpacing.All"/>; <see langword="null"/> (default) for the sampler's own.</summary>
    public string? Spacing { get; init; }

    /// <summary>
    /// What is done to the predicted image: with <see cref="Clipping.Use"/> (default) <see cref="Limit"/> clips it to [−1, 1], for every sampler;
    /// <see cref="Clipping.ReportOnly"/> is for the sampler <c>ddpm</c>.
    /// </summary>
    public Clipping Clipping { get; init; } = Clipping.Use;

    /// <summary>The scale of guidance by labels, for a network that is told labels; 1 (default) for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>The seed of the noise; 0 by default.</summary>
    public long Seed { get; init; }

    private bool IsDdpm => NamedChoice.Same(Sampler, Ddpm);

    /// <summary>The spacing.</summary>
    /// <returns>The spacing of that name; <see langword="null"/> for the sampler's own.</returns>
    public StepSpacing? CreateSpacing() => Spacing is null ? null : StepSpacing.All.First(each => NamedChoice.Same(each.Name, Spacing));

    /// <summary>The sampler. What it samples from is <see cref="Limit"/> of the denoiser.</summary>
    /// <param name="variance">The variance of the reverse steps, for the sampler <c>ddpm</c>; the others have one of their own.</param>
    /// <returns>The sampler of that name, with these options; <c>ddpm</c> clips by itself, too.</returns>
    public Sampler CreateSampler(ReverseVariance variance = ReverseVariance.FixedSmall) => IsDdpm
        ? new DdpmSampler(Steps, Clipping, CreateSpacing(), variance)
        : SamplerCatalog.Create(NamedChoice.Find(Sampler, SamplerCatalog.Names) ?? Sampler, Steps, CreateSpacing());

    /// <summary>The denoiser as <see cref="Clipping"/> asks for it.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <returns>With <see cref="Clipping.Use"/> a denoiser whose images are clipped to [−1, 1]; the denoiser itself if not.</returns>
    public IDenoiser Limit(IDenoiser denoiser) => Clipping == Clipping.Use ? denoiser.Limited(ImageLimit.Clip()) : denoiser;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. NamedChoice.Errors(Sampler, nameof(Sampler), SamplerCatalog.Names),
        .. OptionsValidation.Range(Count, nameof(Count), 1),
        .. OptionsValidation.Range(Steps ?? 1, nameof(Steps), 1),
        .. OptionsValidation.Range(Guidance, nameof(Guidance), -1000, 1000.0),
        .. Spacing is null ? [] : NamedChoice.Errors(Spacing, nameof(Spacing), StepSpacing.All.Select(each => each.Name)),
        .. Clipping == Clipping.ReportOnly && !IsDdpm
            ? [new OptionsError(nameof(Clipping), $"can be reportOnly for the sampler {Ddpm} alone, which is '{Sampler}'; choose use or none.")]
            : Array.Empty<OptionsError>(),
    ];
}
