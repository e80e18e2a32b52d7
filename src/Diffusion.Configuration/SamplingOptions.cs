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

    /// <summary>There is guidance above this noise-to-signal ratio σ/α, finite and at least 0; 0 by default. Below, the network is called for the label alone.</summary>
    /// <remarks>Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in Diffusion Models, arXiv:2404.07724, whose σ is that of x/α.</remarks>
    public double GuidanceSigmaMin { get; init; }

    /// <summary>There is guidance up to this noise-to-signal ratio σ/α, itself included, above <see cref="GuidanceSigmaMin"/>; <see langword="null"/> (default) for all levels up to pure noise. Above, the network is called for the label alone.</summary>
    /// <inheritdoc cref="GuidanceSigmaMin" path="/remarks"/>
    public double? GuidanceSigmaMax { get; init; }

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

    /// <summary>The guidance: its scale, and the interval of noise levels that has it.</summary>
    /// <returns>The options for <c>denoiser.With(labels).Guided(options)</c>.</returns>
    public GuidanceOptions CreateGuidance() => new() { Scale = Guidance, SigmaMin = GuidanceSigmaMin, SigmaMax = GuidanceSigmaMax ?? double.PositiveInfinity };

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
        .. OptionsValidation.Range(GuidanceSigmaMin, nameof(GuidanceSigmaMin), 0),
        .. IntervalErrors(),
        .. Spacing is null ? [] : NamedChoice.Errors(Spacing, nameof(Spacing), StepSpacing.All.Select(each => each.Name)),
    ];

    private IEnumerable<OptionsError> IntervalErrors() => GuidanceSigmaMax is not { } max || (double.IsFinite(max) && max > GuidanceSigmaMin) ? [] :
        [new OptionsError(nameof(GuidanceSigmaMax), FormattableString.Invariant($"must be a finite number above {nameof(GuidanceSigmaMin)}, {GuidanceSigmaMin}, or absent; it is {max}."))];
}
