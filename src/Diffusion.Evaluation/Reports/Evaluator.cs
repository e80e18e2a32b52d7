using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Measures how good images are, by a reference: all figures of this library in one report, each with the number of images that it was measured of. Used by one thread at a time.</summary>
/// <remarks>
/// Images are rounded to 8 bits, as those of files are, before anything is measured. Of the images themselves sums are kept, and of at most <see cref="EvaluationOptions.PairedImages"/> of a set the features (4 bytes each) and,
/// for the nearest training images, the pixels (1 byte each: 8 MB for 10,000 images of 28×28); of training images the features and pixels of all. The same images in the same batches give the same figures to the last digit.
/// </remarks>
public sealed class Evaluator : IDisposable
{
    private readonly IFeatureExtractor _features;
    private readonly EvaluationOptions _options;
    private readonly FeatureStatistics? _given;
    private MeasuredImages? _reference;
    private MeasuredImages? _training;

    /// <summary>An evaluator in a network's features.</summary>
    /// <param name="features">The network, for the caller to dispose after this; with an <see cref="IImageClassifier"/> classes are measured, too.</param>
    /// <param name="options">What is measured; everything that can be by default.</param>
    /// <exception cref="ArgumentException">The options have mistakes; the message lists them.</exception>
    public Evaluator(IFeatureExtractor features, EvaluationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        options ??= new EvaluationOptions();
        options.ThrowIfInvalid();
        (_features, _options) = (features, options);
    }

    /// <summary>The images to compare with, which nothing was trained on: test images. For the caller to dispose. <see langword="null"/> (default) for none.</summary>
    public IImageSource? Reference { get; init; }

    /// <summary>
    /// Statistics of all reference images in the same features: as they are given, where they are known, so that they are not computed again, or alone, for the Fréchet distance; for the caller to dispose. Where none are given
    /// (default), those that <see cref="Prepare"/> has computed, which are freed with this; <see langword="null"/> before.
    /// </summary>
    public FeatureStatistics? ReferenceStatistics
    {
        get => _given ?? _reference?.Statistics;
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
        CheckSources();
        Prepare(plan, progress, cancellationToken);
    }

    /// <summary>Measures images.</summary>
    /// <param name="images">Batches, [B, C, H, W], floats in [−1, 1] or uint8, all of one shape; read once. Each is disposed when it was measured.</param>
    /// <param name="name">What the images are, for the report.</param>
    /// <param name="labels">The class that each image was to show, as a label of the classifier; <see langword="null"/> (default) where none was asked for.</param>
    /// <param name="progress">Told what is measured and how many images of it were seen.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="InvalidOperationException">A figure cannot be measured, or there are not enough images for it; the message says which.</exception>
    /// <exception cref="ArgumentException">The network takes no such images, there are none, or there are not as many labels.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public EvaluationReport Evaluate(
        IEnumerable<Tensor> images, string name, IReadOnlyList<long>? labels = null, IProgress<(string What, long Images)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var plan = Plan(labels is not null);
        CheckLabels(labels);
        CheckSources();
        Prepare(plan, progress, cancellationToken);
        using var noGradients = no_grad();
        using var measured = MeasuredImages.Of(_features, SourceBatches.Of(images, _options.BatchSize), KeepOfImages(plan), name, Told(progress, name), cancellationToken);
        return Report(plan, measured, name, labels, progress, cancellationToken);
    }

    /// <summary>Measures all images of a source.</summary>
    /// <param name="images">The images, in [−1, 1]; its own labels are not used.</param>
    /// <param name="labels">The class that each image was to show, as a label of the classifier; <see langword="null"/> (default) where none was asked for.</param>
    /// <param name="progress">Told what is measured and how many images of it were seen.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="InvalidOperationException">A figure cannot be measured, or there are not enough images for it; the message says which.</exception>
    /// <exception cref="ArgumentException">The network takes no such images, or there are not as many labels.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public EvaluationReport Evaluate(IImageSource images, IReadOnlyList<long>? labels = null, IProgress<(string What, long Images)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        Prepare(images.Count, labels is not null, progress, cancellationToken);
        CheckRange(images);
        return Evaluate(SourceBatches.Of(images, SourceBatches.Choose(images.Count, images.Count, _options.Seed), _options.BatchSize), images.Name, labels, progress, cancellationToken);
    }

    /// <summary>Frees what is kept of the reference and of the training images.</summary>
    public void Dispose()
    {
        _reference?.Dispose();
        _training?.Dispose();
        (_reference, _training) = (null, null);
    }

    private static Observer? Told(IProgress<(string What, long Images)>? progress, string what) => progress is null ? null : new Observer(seen => progress.Report((what, seen)));

    private static void CheckRange(IImageSource images)
    {
        if (images.Range is not (-1, 1))
        {
            throw new ArgumentException($"Images in [−1, 1] are measured; those of '{images.Name}' are in {images.Range?.ToString() ?? "no range"}.", nameof(images));
        }
    }

    private EvaluationPlan Plan(bool labels) =>
        EvaluationPlan.Of(_options, Reference is not null, ReferenceStatistics is not null, Training is not null, _features is IImageClassifier, labels);

    private MeasuredImages.Keep KeepOfImages(EvaluationPlan plan) => new(
        Sums: plan.Has(EvaluationFigures.FrechetDistance),
        Most: plan.Pairs || plan.Has(EvaluationFigures.NearestImages) ? _options.PairedImages : 0,
        Pixels: plan.Has(EvaluationFigures.NearestImages),
        Logits: plan.Has(EvaluationFigures.InceptionScore | EvaluationFigures.Labels));

    private void CheckSources()
    {
        foreach (var source in (IImageSource?[])[Reference, Training])
        {
            if (source is not null)
            {
                CheckRange(source);
            }
        }

        if (Reference is { } reference && Training is { } training && reference.Shape != training.Shape)
        {
            throw new ArgumentException($"Training images and reference have one shape; '{training.Name}' has images of {training.Shape}, '{reference.Name}' of {reference.Shape}.");
        }

        if (ReferenceStatistics is { } statistics && statistics.Mean.shape[0] != _features.Features)
        {
            throw new ArgumentException($"The statistics of {statistics.Source} are of {statistics.Mean.shape[0]} features, and {_features.Name} has {_features.Features}.");
        }
    }

    private void CheckLabels(IReadOnlyList<long>? labels)
    {
        if (labels is not null && _features is IImageClassifier classifier && labels.Any(label => label < 0 || label >= classifier.ClassNames.Count))
        {
            throw new ArgumentException($"labels must be in [0, {classifier.ClassNames.Count - 1}], the classes of {classifier.Name}; one is {labels.First(label => label < 0 || label >= classifier.ClassNames.Count)}.", nameof(labels));
        }
    }

    private void Prepare(EvaluationPlan plan, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        var nearest = plan.Has(EvaluationFigures.NearestImages);
        if (_reference is null && Reference is { } reference)
        {
            _reference = Measured(
                reference, new(Sums: plan.Has(EvaluationFigures.FrechetDistance) && _given is null, Most: plan.Pairs || nearest ? _options.PairedImages : 0, Pixels: nearest, Logits: plan.Has(EvaluationFigures.Labels) && ReferenceLabels() is not null), reference.Name, progress, cancellation);
        }

        if (_training is null && Training is { } training && nearest)
        {
            _training = Measured(training, new(Sums: false, Most: training.Count, Pixels: true, Logits: false), training.Name, progress, cancellation);
        }
    }

    /// <summary>A source, those images first whose features are kept.</summary>
    private MeasuredImages Measured(IImageSource images, MeasuredImages.Keep keep, string source, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        CheckRange(images);
        using var noGradients = no_grad();
        var kept = SourceBatches.Choose(images.Count, keep.Most, _options.Seed);
        int[] read = keep.Sums ? [.. kept, .. Enumerable.Range(0, images.Count).Except(kept)] : kept;
        return MeasuredImages.Of(_features, SourceBatches.Of(images, read, _options.BatchSize), keep, source, Told(progress, images.Name), cancellation, read);
    }

    private EvaluationReport Report(EvaluationPlan plan, MeasuredImages images, string name, IReadOnlyList<long>? labels, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        plan.ThrowIfTooFew(images.Count, Reference?.Count ?? ReferenceStatistics?.Images, Training?.Count);
        var measures = new EvaluationMeasures(_options, _features.Name, images, _reference, Reference?.Name ?? ReferenceStatistics?.Source);
        var figures = new List<EvaluationFigure>();
        if (plan.Has(EvaluationFigures.FrechetDistance))
        {
            using var floor = Training is null ? null : Floor(Training, images.Count, progress, cancellation);
            figures.AddRange(measures.Frechet(ReferenceStatistics!, floor));
        }

        figures.AddRange(measures.Pairs(plan, cancellation));
        figures.AddRange(measures.Classes(plan, labels, ReferenceLabels()));
        if (plan.Has(EvaluationFigures.NearestImages))
        {
            figures.AddRange(measures.Nearest(_training!, Training!.Name, cancellation));
        }

        return new EvaluationReport
        {
            Images = name, Count = images.Count, Features = _features.Name, Figures = figures, Remarks = plan.Missing, Settings = Settings(), Classes = _features is IImageClassifier classifier ? measures.Histogram(classifier.ClassNames) : [],
        };
    }

    /// <summary>The classes of the reference's images, in the order in which they are read; <see langword="null"/> where they are not known, or others than the classifier's.</summary>
    private long[]? ReferenceLabels() =>
        Reference is { Labels: { } labels } reference && _features is IImageClassifier classifier && reference.ClassNames.SequenceEqual(classifier.ClassNames, StringComparer.Ordinal)
            ? _reference is null ? [.. labels] : [.. _reference.Indices.Select(i => labels[i])]
            : null;

    /// <summary>As many training images as are measured, or all where there are fewer.</summary>
    private FeatureStatistics Floor(IImageSource training, long images, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        var chosen = SourceBatches.Choose(training.Count, images, _options.Seed);
        if (_training?.Features is { } features)
        {
            using var index = tensor(Array.ConvertAll(chosen, i => (long)i));
            using var rows = features.index_select(0, index);
            return FeatureStatistics.Of(rows, training.Name);
        }

        using var noGradients = no_grad();
        using var measured = MeasuredImages.Of(
            _features, SourceBatches.Of(training, chosen, _options.BatchSize), new(Sums: false, Most: chosen.Length, Pixels: false, Logits: false), training.Name, Told(progress, training.Name), cancellation);
        return FeatureStatistics.Of(measured.Features!, training.Name);
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

    /// <summary>Passes progress on at once and on the same thread.</summary>
    private sealed class Observer(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
