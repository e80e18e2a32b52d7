using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Measures how good images are, by a reference: all figures of this library in one report, each with the number of images that it was measured of. Used by one thread at a time.</summary>
/// <remarks>
/// Images are rounded to 8 bits, as those of files are, before anything is measured. Of the images themselves sums are kept, and of at most <see cref="EvaluationOptions.PairedImages"/> of a set the features (4 bytes each) and,
/// for the nearest training images, the pixels (1 byte each: 8 MB for 10,000 images of 28×28); of training images the features and pixels of all, for the nearest of them: where these are more than the memory, they are not measured, and the report says so. The same images in the same batches give the same figures to the last digit.
/// </remarks>
public sealed class Evaluator : IDisposable
{
    private readonly IFeatureExtractor _features;
    private readonly EvaluationOptions _options;
    private readonly FeatureStatistics? _given;
    private ComparedSets? _sets;

    /// <summary>An evaluator in a network's features, or without any.</summary>
    /// <param name="features">The network, for the caller to dispose after this; with an <see cref="IImageClassifier"/> classes are measured, too. <see langword="null"/> for none: then the nearest training images in pixels alone are measured.</param>
    /// <param name="options">What is measured; everything that can be by default.</param>
    /// <exception cref="ArgumentException">The options have mistakes; the message lists them.</exception>
    public Evaluator(IFeatureExtractor? features, EvaluationOptions? options = null)
    {
        options ??= new EvaluationOptions();
        options.ThrowIfInvalid();
        (_features, _options) = (features ?? new NoFeatures(), options);
    }

    /// <summary>The images to compare with, which nothing was trained on: test images. For the caller to dispose. <see langword="null"/> (default) for none.</summary>
    public IImageSource? Reference { get; init; }

    /// <summary>
    /// Statistics of all reference images in the same features: as they are given, where they are known, so that they are not computed again, or alone, for the Fréchet distance; for the caller to dispose. Where none are given
    /// (default), those that <see cref="Prepare"/> has computed, which are freed with this; <see langword="null"/> before.
    /// </summary>
    public FeatureStatistics? ReferenceStatistics
    {
        get => _given ?? _sets?.Reference?.Statistics;
        init => _given = value;
    }

    /// <summary>The images that a network was trained on: for the Fréchet distance of as many of them (the floor) and for the nearest of them. For the caller to dispose. <see langword="null"/> (default) for none.</summary>
    public IImageSource? Training { get; init; }

    /// <summary>Measures the reference and the training images, which is kept for all evaluations, and finds out whether an evaluation can be made, before the images are drawn.</summary>
    /// <param name="images">How many images will be evaluated, at least 1.</param>
    /// <param name="labels">Whether it will be known which classes they are to show.</param>
    /// <param name="progress">Told what is measured and how many images of it were seen.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    /// <exception cref="InvalidOperationException">A figure cannot be measured, or there are not enough images for it; the message says which.</exception>
    /// <exception cref="ArgumentException">The network takes no such images, or the sources have images of several shapes.</exception>
    /// <exception cref="OperationCanceledException">The measurement was cancelled.</exception>
    public void Prepare(long images, bool labels = false, IProgress<(string What, long Images)>? progress = null, CancellationToken cancellationToken = default)
    {
        var plan = Plan(labels);
        plan.ThrowIfTooFew(images, Reference?.Count ?? ReferenceStatistics?.Images, Training?.Count);
        _ = Prepared(plan, progress, cancellationToken);
    }

    /// <summary>Measures images.</summary>
    /// <param name="images">Batches, [B, C, H, W], floats in [−1, 1] or uint8, all of one shape; read once. Each is disposed when it was measured.</param>
    /// <param name="name">What the images are, for the report.</param>
    /// <param name="labels">The class that each image was to show, as a label of the classifier; <see langword="null"/> (default) where none was asked for.</param>
    /// <param name="progress">Told what is measured and how many images of it were seen.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="InvalidOperationException">A figure cannot be measured, or there are not enough images for it; the message says which.</exception>
    /// <exception cref="ArgumentException">The network takes no such images, there are none, they have a NaN, or there are not as many labels.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public EvaluationReport Evaluate(
        IEnumerable<Tensor> images, string name, IReadOnlyList<long>? labels = null, IProgress<(string What, long Images)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var plan = Plan(labels is not null);
        CheckLabels(labels);
        var sets = Prepared(plan, progress, cancellationToken);
        using var measured = sets.Describe(images, KeptOf(plan), name, progress, cancellationToken);
        if (labels is not null && labels.Count != measured.Count)
        {
            throw new ArgumentException($"labels must have one for each image; there are {labels.Count} labels and {measured.Count} images.", nameof(labels));
        }

        plan.ThrowIfTooFew(measured.Count, Reference?.Count ?? ReferenceStatistics?.Images, Training?.Count);
        return new EvaluationReport
        {
            Images = name,
            Count = measured.Count,
            Features = _features.Name,
            Figures = Figures(plan, sets, measured, labels, progress, cancellationToken),
            Classes = _features is IImageClassifier classifier ? EvaluationMeasures.Histogram(measured, classifier.ClassNames) : [],
            Remarks = [.. plan.Missing, .. _features is ScriptFeatures { Remark: { } remark } ? [remark] : Array.Empty<string>()],
            Settings = Settings(),
        };
    }

    /// <summary>Measures all images of a source.</summary>
    /// <param name="images">The images, in [−1, 1]; its own labels are not used.</param>
    /// <param name="labels">The class that each image was to show, as a label of the classifier; <see langword="null"/> where none was asked for.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="InvalidOperationException">A figure cannot be measured, or there are not enough images for it; the message says which.</exception>
    /// <exception cref="ArgumentException">The network takes no such images, or there are not as many labels.</exception>
    public EvaluationReport Evaluate(IImageSource images, IReadOnlyList<long>? labels)
    {
        ArgumentNullException.ThrowIfNull(images);
        ComparedSets.CheckRange(images);
        Prepare(images.Count, labels is not null);
        return Evaluate(SourceBatches.Of(images, SourceBatches.Choose(images.Count, images.Count, _options.Seed), _options.BatchSize), images.Name, labels);
    }

    /// <summary>Frees what is kept of the reference and of the training images.</summary>
    public void Dispose()
    {
        _sets?.Dispose();
        _sets = null;
    }

    private EvaluationPlan Plan(bool labels) =>
        EvaluationPlan.Of(_options, _features is not NoFeatures, Reference is not null, _given is not null, Training is not null, _features is IImageClassifier, labels, Memory());

    /// <summary>What the training images take, where that is more than the process may have: pixels and features of all are kept.</summary>
    private string? Memory()
    {
        const double Gigabyte = 1 << 30;
        if (Training is not { Shape: var shape } source)
        {
            return null;
        }

        var (needed, there) = (source.Count * (((double)shape.Channels * shape.Height * shape.Width) + (sizeof(float) * (double)_features.Features)), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return needed <= there ? null : FormattableString.Invariant($"{needed / Gigabyte:F1} GiB of memory for pixels and features of the {source.Count} training images of {shape}, where {there / Gigabyte:F1} GiB are there");
    }

    private MeasuredImages.Keep KeptOf(EvaluationPlan plan) => new(
        Sums: plan.Has(EvaluationFigures.FrechetDistance),
        Max: plan.Pairs || plan.Has(EvaluationFigures.NearestImages) ? _options.PairedImages : 0,
        Pixels: plan.Has(EvaluationFigures.NearestImages),
        Logits: plan.Has(EvaluationFigures.InceptionScore | EvaluationFigures.Labels),
        _options.Seed);

    private void CheckLabels(IReadOnlyList<long>? labels)
    {
        if (labels is not null && _features is IImageClassifier classifier && labels.Any(label => label < 0 || label >= classifier.ClassNames.Count))
        {
            throw new ArgumentException($"labels must be in [0, {classifier.ClassNames.Count - 1}], the classes of {classifier.Name}; one is {labels.First(label => label < 0 || label >= classifier.ClassNames.Count)}.", nameof(labels));
        }
    }

    private ComparedSets Prepared(EvaluationPlan plan, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        _sets ??= new ComparedSets(_features, _options, Reference, _given, Training);
        _sets.Prepare(plan, progress, cancellation);
        return _sets;
    }

    private List<EvaluationFigure> Figures(
        EvaluationPlan plan, ComparedSets sets, MeasuredImages images, IReadOnlyList<long>? labels, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        var measures = new EvaluationMeasures(_options, _features.Name, images, sets.Reference, Reference?.Name ?? _given?.Source);
        var figures = new List<EvaluationFigure>();
        if (plan.Has(EvaluationFigures.FrechetDistance))
        {
            using var floor = sets.Floor(images.Count, progress, cancellation);
            figures.AddRange(measures.Frechet(ReferenceStatistics!, floor));
        }

        figures.AddRange(measures.Pairs(plan, cancellation));
        figures.AddRange(measures.Classes(plan, labels, sets.ReferenceLabels));
        if (plan.Has(EvaluationFigures.NearestImages))
        {
            figures.AddRange(measures.Nearest(sets.Training!, Training!.Name, cancellation));
        }

        return figures;
    }

    private Dictionary<string, object?> Settings() => new()
    {
        ["evaluationSeed"] = _options.Seed,
        ["evaluationBatchSize"] = _options.BatchSize,
        ["neighbours"] = _options.Neighbours,
        ["splits"] = _options.Splits,
        ["version"] = LibraryVersions.Library,
        ["libtorch"] = __version__,
        ["processor"] = DiffusionRuntime.ProcessorDescription,
        ["level"] = DiffusionRuntime.ProcessorLevel.ToString(),
        ["threads"] = get_num_threads(),
    };
}
