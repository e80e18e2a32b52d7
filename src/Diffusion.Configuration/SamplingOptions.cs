namespace Diffusion.Configuration;

/// <summary>How images are made from the trained network.</summary>
public sealed record SamplingOptions : IValidatedOptions
{
    private const string Ddpm = "ddpm";

    /// <summary>The name of the sampler, one of <see cref="Diffusion.Sampler.Names"/>; <c>ddpm</c> by default.</summary>
    public string Sampler { get; init; } = Ddpm;

    /// <summary>The number of images, at least 1; 64 by default.</summary>
    public int Count { get; init; } = 64;

    /// <summary>The number of steps; <see langword="null"/> (default) for what the sampler makes of it, in general all training timesteps.</summary>
    public int? Steps { get; init; }

    /// <summary>Where the steps lie, by the name of one of <see cref="StepSpacing.All"/>; <see langword="null"/> (default) for the sampler's own.</summary>
    public string? Spacing { get; init; }

    /// <summary>Whether x̂₀ is clipped to [−1, 1] in every step; true by default.</summary>
    public bool Clip { get; init; } = true;

    /// <summary>The scale of classifier-free guidance, for a class-conditional network; 1 (default) for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>The seed of the noise; 0 by default.</summary>
    public long Seed { get; init; }

    private bool IsDdpm => NamedChoice.Same(Sampler, Ddpm);

    /// <summary>The spacing.</summary>
    /// <returns>The spacing of that name; <see langword="null"/> for the sampler's own.</returns>
    public StepSpacing? CreateSpacing() => Spacing is null ? null : StepSpacing.All.First(each => NamedChoice.Same(each.Name, Spacing));

    /// <summary>The sampler. What it samples from is <see cref="Limit"/> of the denoiser.</summary>
    /// <param name="variance">The variance of the reverse steps, for the sampler <c>ddpm</c>; the others have one of their own.</param>
    /// <returns>The sampler of that name, with these options.</returns>
    public Sampler CreateSampler(ReverseVariance variance = ReverseVariance.FixedSmall) => IsDdpm
        ? new DdpmSampler(Steps, new() { Spacing = CreateSpacing(), Variance = variance })
        : Diffusion.Sampler.Create(NamedChoice.Find(Sampler, Diffusion.Sampler.Names) ?? Sampler, Steps, CreateSpacing());

    /// <summary>The denoiser with the limit that these options ask for.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <returns>With <see cref="Clip"/> a denoiser whose x̂₀ is clipped to [−1, 1]; the denoiser itself without.</returns>
    public IDenoiser Limit(IDenoiser denoiser) => Clip ? denoiser.Limited(ImageLimit.Clip()) : denoiser;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. NamedChoice.Errors(Sampler, nameof(Sampler), Diffusion.Sampler.Names),
        .. OptionsValidation.Range(Count, nameof(Count), 1),
        .. OptionsValidation.Range(Steps ?? 1, nameof(Steps), 1),
        .. OptionsValidation.Range(Guidance, nameof(Guidance), -1000, 1000.0),
        .. Spacing is null ? [] : NamedChoice.Errors(Spacing, nameof(Spacing), StepSpacing.All.Select(each => each.Name)),
    ];
}
