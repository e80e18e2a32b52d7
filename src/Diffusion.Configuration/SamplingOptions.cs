namespace Diffusion.Configuration;

/// <summary>How images are made from the trained network.</summary>
public sealed record SamplingOptions : IValidatedOptions
{
    /// <summary>The number of images, at least 1; 64 by default.</summary>
    public int Count { get; init; } = 64;

    /// <summary>The number of steps; all of them where <see langword="null"/> (default).</summary>
    public int? Steps { get; init; }

    /// <summary>What is done to the predicted image in a step; by default it is clipped to [−1, 1] and used so.</summary>
    public Clipping Clipping { get; init; } = Clipping.Use;

    /// <summary>The seed of the noise; 0 by default.</summary>
    public long Seed { get; init; }

    /// <summary>The sampler.</summary>
    /// <returns>Ancestral sampling with these options.</returns>
    public Sampler CreateSampler() => new DdpmSampler(Steps, Clipping);

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Count, nameof(Count), 1),
        .. OptionsValidation.Range(Steps ?? 1, nameof(Steps), 1),
    ];
}
