namespace Diffusion.Evaluation;

/// <summary>What is measured, and how.</summary>
public sealed record EvaluationOptions : IValidatedOptions
{
    private static readonly Dictionary<string, EvaluationFigures> s_figures = new(StringComparer.OrdinalIgnoreCase)
    {
        ["frechet"] = EvaluationFigures.FrechetDistance,
        ["kernel"] = EvaluationFigures.KernelDistance,
        ["precision"] = EvaluationFigures.PrecisionRecall,
        ["density"] = EvaluationFigures.DensityCoverage,
        ["inception"] = EvaluationFigures.InceptionScore,
        ["labels"] = EvaluationFigures.Labels,
        ["nearest"] = EvaluationFigures.NearestImages,
    };

    /// <summary>
    /// What can be measured. <c>frechet</c>: the Fréchet distance to the reference, and with training images that of as many of them, the floor, and the excess over it. <c>kernel</c>: the kernel distance (KID).
    /// <c>precision</c>: precision and recall. <c>density</c>: density and coverage. <c>inception</c>: the Inception score of a classifier. <c>labels</c>: how many images show the class that was asked for.
    /// <c>nearest</c>: how near the images are to the training images, beside how near those of the reference are.
    /// </summary>
    public static IReadOnlyList<string> FigureNames { get; } = Array.AsReadOnly(s_figures.Keys.ToArray());

    /// <summary>What is measured, some of <see cref="FigureNames"/>; <see langword="null"/> (default) for all that can be, and the report says what cannot. What is named here and cannot be measured is an error.</summary>
    public IReadOnlyList<string>? Figures { get; init; }

    /// <summary>The most images that are described by the network at once, at least 1; 256 by default. Apart from rounding, figures do not depend on it.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>
    /// The most images of a set whose features are kept, at least 2; 10,000 by default. Kernel distance, precision, recall, density and coverage compare images with images: of a larger set they see so many, a random choice by
    /// <see cref="Seed"/>, and each figure says how many. Precision, recall, density and coverage depend on both numbers, and are measured of as many images of the larger set as the smaller has. The distances to training
    /// images see all of those.
    /// </summary>
    public int PairedImages { get; init; } = 10_000;

    /// <summary>Which neighbour of an image is the border of its surroundings, for precision, recall, density and coverage, at least 1; 5 by default.</summary>
    public int Neighbours { get; init; } = 5;

    /// <summary>Into how many parts the images are split for the Inception score, at least 1; 10 by default.</summary>
    public int Splits { get; init; } = 10;

    /// <summary>The seed of all choices of images; 0 by default.</summary>
    public long Seed { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. Figures is { Count: 0 } ? [new OptionsError(nameof(Figures), $"must be some of {string.Join(", ", FigureNames)}, or null for all; there are none.")] : Array.Empty<OptionsError>(),
        .. (Figures ?? []).Where(name => !s_figures.ContainsKey(name)).Select(name => new OptionsError(nameof(Figures), $"must be of {string.Join(", ", FigureNames)}; one is '{name}'.")),
        .. OptionsValidation.Range(BatchSize, nameof(BatchSize), 1),
        .. OptionsValidation.Range(PairedImages, nameof(PairedImages), 2),
        .. OptionsValidation.Range(Neighbours, nameof(Neighbours), 1),
        .. OptionsValidation.Range(Splits, nameof(Splits), 1),
    ];

    /// <summary>What is asked for by its name; <see langword="null"/> for all.</summary>
    internal EvaluationFigures? Named => Figures?.Aggregate(EvaluationFigures.None, (all, name) => all | s_figures[name]);
}
