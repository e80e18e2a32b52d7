namespace Diffusion.Evaluation;

/// <summary>What <see cref="FrechetDistanceObserver"/> draws, and when.</summary>
public sealed record FrechetDistanceObserverOptions : IValidatedOptions
{
    /// <summary>Steps from one distance to the next, at least 1; 1000 by default. The last step of the run has one in any case. What one costs: <see cref="FrechetDistanceObserver"/>.</summary>
    public int Every { get; init; } = 1000;

    /// <summary>The number of images that are drawn for a distance, at least 2; 2000 by default. Fewer images have a larger distance, all else equal, and more noise in it: distances of unlike numbers cannot be compared.</summary>
    public int Images { get; init; } = 2000;

    /// <summary>The images of the reference that are used where it is a source, at least 2, chosen at random, always the same; <see langword="null"/> (default) for all, and all where there are fewer.</summary>
    public int? ReferenceImages { get; init; }

    /// <summary>The images that are drawn at once, at least 1; 100 by default. Another number changes the last digits of the distance, through rounding.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>The seed of the noise, the same for each distance; 0 by default.</summary>
    public long Seed { get; init; }

    /// <summary>The scale of classifier-free guidance, for a class-conditional network with a null label, in [−1000, 1000]; 1 (default) for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>There is guidance above this noise-to-signal ratio σ/α, finite and at least 0; 0 by default (arXiv:2404.07724).</summary>
    public double GuidanceSigmaMin { get; init; }

    /// <summary>There is guidance up to this σ/α, itself included, above <see cref="GuidanceSigmaMin"/>; <see langword="null"/> (default) for all levels up to pure noise.</summary>
    public double? GuidanceSigmaMax { get; init; }

    /// <summary>The one condition of all images; <see langword="null"/> (default): all classes in turn where the network takes labels and the images have them, else none.</summary>
    public Condition? Condition { get; init; }

    /// <summary>Whether each predicted image is clipped to [−1, 1]; true by default. The images are clipped in any case: they are measured as an image file would hold them.</summary>
    public bool Clip { get; init; } = true;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Every, nameof(Every), 1),
        .. OptionsValidation.Range(Images, nameof(Images), 2),
        .. OptionsValidation.Range(ReferenceImages ?? 2, nameof(ReferenceImages), 2),
        .. OptionsValidation.Range(BatchSize, nameof(BatchSize), 1),
        .. OptionsValidation.Range(Guidance, nameof(Guidance), -1000, 1000.0),
        .. OptionsValidation.Range(GuidanceSigmaMin, nameof(GuidanceSigmaMin), 0),
        .. GuidanceSigmaMax is { } max && !(double.IsFinite(max) && max > GuidanceSigmaMin)
            ? [new OptionsError(nameof(GuidanceSigmaMax), FormattableString.Invariant($"must be a finite number above {nameof(GuidanceSigmaMin)}, {GuidanceSigmaMin}, or absent; it is {max}."))]
            : Array.Empty<OptionsError>(),
        .. Condition is { } condition && (condition.Parts.Count > 1 || condition.Labels is { Count: > 1 } || condition.Context?.shape[0] > 1)
            ? [new OptionsError(nameof(Condition), $"must be one label, a context of shape [1, L, D] or both, for all images; it is {condition}.")]
            : Array.Empty<OptionsError>(),
    ];

    /// <summary>The guidance: its scale, and the interval of noise levels that has it.</summary>
    internal GuidanceOptions CreateGuidance() => new() { Scale = Guidance, SigmaMin = GuidanceSigmaMin, SigmaMax = GuidanceSigmaMax ?? double.PositiveInfinity };
}
