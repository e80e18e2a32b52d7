namespace Diffusion.Evaluation;

/// <summary>Which figures are measured, and why others are not.</summary>
internal sealed class EvaluationPlan
{
    private readonly EvaluationOptions _options;

    private EvaluationPlan(EvaluationOptions options, EvaluationFigures figures, IReadOnlyList<string> missing) => (_options, Figures, Missing) = (options, figures, missing);

    public EvaluationFigures Figures { get; }

    /// <summary>One line for each figure that cannot be measured.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Whether features are compared with features.</summary>
    public bool Pairs => (Figures & (EvaluationFigures.KernelDistance | EvaluationFigures.PrecisionRecall | EvaluationFigures.DensityCoverage)) != 0;

    /// <param name="options">What is wanted.</param>
    /// <param name="features">Whether there is a network.</param>
    /// <param name="reference">Whether there are reference images.</param>
    /// <param name="statistics">Whether there are statistics of reference images.</param>
    /// <param name="training">Whether there are training images.</param>
    /// <param name="classifier">Whether the network is a classifier.</param>
    /// <param name="labels">Whether it is known which classes the images were to show.</param>
    /// <param name="memory">What the distances to training images would need of the memory and do not get; <see langword="null"/> where there is enough.</param>
    /// <exception cref="InvalidOperationException">A figure is asked for by its name and cannot be measured, or none can.</exception>
    public static EvaluationPlan Of(EvaluationOptions options, bool features, bool reference, bool statistics, bool training, bool classifier, bool labels, string? memory)
    {
        var compared = features ? "reference images" : "the features of a network";
        (EvaluationFigures Figure, bool Possible, string Needs)[] all =
        [
            (EvaluationFigures.FrechetDistance, features && (reference || statistics), features ? "reference images, or their statistics" : "the features of a network"),
            (EvaluationFigures.KernelDistance, features && reference, compared),
            (EvaluationFigures.PrecisionRecall, features && reference, compared),
            (EvaluationFigures.DensityCoverage, features && reference, compared),
            (EvaluationFigures.InceptionScore, classifier, "features of a classifier"),
            (EvaluationFigures.Labels, classifier && labels, classifier ? "the classes that the images were to show" : "features of a classifier"),
            (EvaluationFigures.NearestImages, training && memory is null, memory ?? "training images"),
        ];
        var wanted = options.Named ?? EvaluationFigures.All;
        var impossible = all.Where(each => wanted.HasFlag(each.Figure) && !each.Possible).ToArray();
        var missing = Array.ConvertAll(impossible, each => $"{each.Figure}: not measured, for it needs {each.Needs}.");
        if (options.Figures is not null && impossible.Length > 0)
        {
            throw new InvalidOperationException(string.Join(' ', impossible.Select(each => $"{each.Figure} needs {each.Needs}{(each.Needs == memory ? "." : ", and there are none.")}")));
        }

        var figures = impossible.Aggregate(wanted, (left, each) => left & ~each.Figure);
        return figures == EvaluationFigures.None && features
            ? throw new InvalidOperationException($"Nothing can be measured: reference images, training images or a classifier are needed. {string.Join(' ', missing)}")
            : new EvaluationPlan(options, figures, missing);
    }

    public bool Has(EvaluationFigures figure) => (Figures & figure) != 0;

    /// <summary>Finds out whether there are enough images for every figure.</summary>
    /// <param name="images">How many are measured.</param>
    /// <param name="reference">How many there are to compare with; <see langword="null"/> without a reference.</param>
    /// <param name="training">How many training images there are; <see langword="null"/> without them.</param>
    /// <exception cref="InvalidOperationException">There are not.</exception>
    public void ThrowIfTooFew(long images, long? reference, long? training)
    {
        var neighbours = $"with {_options.Neighbours} neighbours";
        Needs(EvaluationFigures.FrechetDistance, 2, "");
        Needs(EvaluationFigures.KernelDistance, 2, "");
        Needs(EvaluationFigures.PrecisionRecall, _options.Neighbours + 1, neighbours);
        Needs(EvaluationFigures.DensityCoverage, _options.Neighbours + 1, neighbours);
        if (Has(EvaluationFigures.InceptionScore) && images < _options.Splits)
        {
            throw new InvalidOperationException($"{EvaluationFigures.InceptionScore} of {_options.Splits} splits needs at least {_options.Splits} images; there are {images}.");
        }

        if (Has(EvaluationFigures.FrechetDistance) && training < 2)
        {
            throw new InvalidOperationException($"The distance of training images to the reference needs at least 2 of them; there are {training}.");
        }

        void Needs(EvaluationFigures figure, int min, string how)
        {
            if (!Has(figure))
            {
                return;
            }

            if (Math.Min(images, reference ?? images) < min)
            {
                throw new InvalidOperationException($"{figure} {how}{(how.Length > 0 ? " " : "")}needs at least {min} images of either set; there are {images}{(reference is null ? "" : $", and {reference} to compare with")}.");
            }

            if (figure != EvaluationFigures.FrechetDistance && _options.PairedImages < min)
            {
                throw new InvalidOperationException($"{figure} {how}{(how.Length > 0 ? " " : "")}needs at least {min} images of either set; {nameof(EvaluationOptions.PairedImages)} is {_options.PairedImages}.");
            }
        }
    }
}
