namespace Diffusion.Evaluation;

/// <summary>How a <see cref="KernelDistance"/> is estimated. The defaults are those of the kernel inception distance.</summary>
/// <remarks>Demystifying MMD GANs, arXiv:1801.01401: 100 subsets of 1000 images, as torch-fidelity and clean-fid take them.</remarks>
public sealed record KernelDistanceOptions : IValidatedOptions
{
    /// <summary>The kernel; by default (⟨x, y⟩/D + 1)³.</summary>
    public FeatureKernel Kernel { get; init; } = FeatureKernel.Polynomial();

    /// <summary>How many subsets are drawn of each set, at least 1; 100 by default. <see langword="null"/>: all images at once, which has less noise and takes time by the square of their number.</summary>
    public int? Subsets { get; init; } = 100;

    /// <summary>How many images a subset has, drawn without replacement, at least 2 and no more than either set has; 1000 by default. Without meaning where <see cref="Subsets"/> is <see langword="null"/>.</summary>
    public int SubsetSize { get; init; } = 1000;

    /// <summary>What the subsets are drawn from; any number, 0 by default.</summary>
    public long Seed { get; init; }

    /// <summary>Whether k(x, x) is counted too, so that the estimate is never below 0 and too large, more so for fewer images; false by default.</summary>
    public bool Biased { get; init; }

    /// <summary>What the squared discrepancy is multiplied with, above 0; 1 by default.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The discrepancy of CMMD, for embeddings of CLIP scaled to length 1: a Gaussian kernel with σ = 10 over all images, biased, times 1000.</summary>
    /// <remarks>Rethinking FID: Towards a Better Evaluation Metric for Image Generation, arXiv:2401.09603.</remarks>
    public static KernelDistanceOptions Cmmd { get; } = new() { Kernel = FeatureKernel.Gaussian(10), Subsets = null, Biased = true, Scale = 1000 };

    /// <summary>What is estimated, in words.</summary>
    internal string Form => FormattableString.Invariant($"kernel {Kernel}{(Biased ? ", biased" : "")}{(Scale == 1 ? "" : FormattableString.Invariant($", times {Scale}"))}");

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. Kernel is null ? [new OptionsError(nameof(Kernel), "must be a kernel; it is null.")] : Array.Empty<OptionsError>(),
        .. OptionsValidation.Range(Subsets ?? 1, nameof(Subsets), 1),
        .. OptionsValidation.Range(SubsetSize, nameof(SubsetSize), 2),
        .. OptionsValidation.Range(Scale, nameof(Scale), double.Epsilon),
    ];
}
