namespace Diffusion.Evaluation;

/// <summary>Options of <see cref="ProbabilityFlowLikelihood"/>.</summary>
public sealed record ProbabilityFlowOptions : IValidatedOptions
{
    /// <summary>Steps of the solver, at least 1; 32 by default. Each evaluates the denoiser and its derivative four times, and twice the steps make the error about 16 times smaller.</summary>
    public int Steps { get; init; } = 32;

    /// <summary>
    /// Random directions in which the trace of the denoiser's derivative is measured, at least 1; 1 by default. The estimate is unbiased with any number. Each costs a backward pass an
    /// evaluation. With as many as an image has values (C·H·W), or more, the trace is exact: one pass for each value.
    /// </summary>
    public int Probes { get; init; } = 1;

    /// <summary>Whether the directions are Gaussian. False (default): Rademacher, every value 1 or −1, whose estimate never varies more.</summary>
    public bool GaussianProbes { get; init; }

    /// <summary>
    /// Whether images are 8-bit values, to which noise is added, uniform over the bin of each value, [v − 1/255, v + 1/255]: the figure is then an upper bound of the bits of the 8-bit
    /// image, on average. True by default. False: the images are real numbers, and the figure is that of their density in units of [−1, 1], which can be negative.
    /// </summary>
    public bool Dequantize { get; init; } = true;

    /// <summary>
    /// σ/α where the image is taken to be, above the schedule's smallest and below its largest; <see langword="null"/> (default) for the schedule's smallest. The figure depends on it:
    /// below the width of a bin, 0.0078, a network that has learned the 8-bit values finds images between them unlikely.
    /// </summary>
    public double? SmallestRatio { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Steps, nameof(Steps), 1, 100_000),
        .. OptionsValidation.Range(Probes, nameof(Probes), 1),
        .. OptionsValidation.Range(SmallestRatio ?? 1, nameof(SmallestRatio), 1e-12),
    ];
}
