using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>The sets that images are compared with: each is measured once, when it is needed. Owns what it has measured.</summary>
/// <param name="features">The network.</param>
/// <param name="options">What is measured.</param>
/// <param name="reference">The reference.</param>
/// <param name="statistics">Its statistics, where they are known.</param>
/// <param name="training">The training images.</param>
internal sealed class ComparedSets(IFeatureExtractor features, EvaluationOptions options, IImageSource? reference, FeatureStatistics? statistics, IImageSource? training) : IDisposable
{
    /// <summary>The reference; <see langword="null"/> where there is none or nothing of it is needed.</summary>
    public MeasuredImages? Reference { get; private set; }

    /// <summary>All training images; <see langword="null"/> where there are none or nothing of them is needed.</summary>
    public MeasuredImages? Training { get; private set; }

    /// <summary>The classes of the reference's images as the classifier's labels, in the order in which they were seen; <see langword="null"/> where they are not known, or it has no such classes.</summary>
    public IReadOnlyList<long>? ReferenceLabels
    {
        get
        {
            var names = reference?.ClassNames ?? [];
            if (reference?.Labels is not { } labels || features is not IImageClassifier classifier || names.Count == 0)
            {
                return null;
            }

            var known = classifier.ClassNames.Index().DistinctBy(each => each.Item).ToDictionary(each => each.Item, each => (long)each.Index);
            return names.All(known.ContainsKey) ? [.. (Reference?.Indices ?? []).Select(i => known[names[(int)labels[i]]])] : null;
        }
    }

    /// <exception cref="ArgumentException">Values of another range are images of another kind.</exception>
    public static void CheckRange(IImageSource images)
    {
        if (EightBitImages.RangeProblem(images) is { } problem)
        {
            throw new ArgumentException(problem, nameof(images));
        }
    }

    /// <summary>Measures what the figures need and what is not measured yet.</summary>
    public void Prepare(EvaluationPlan plan, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        Check();
        var nearest = plan.Has(EvaluationFigures.NearestImages);
        var ofReference = new MeasuredImages.Keep(
            Sums: plan.Has(EvaluationFigures.FrechetDistance) && statistics is null,
            Max: plan.Pairs || nearest ? options.PairedImages : 0,
            Pixels: nearest,
            Logits: (options.Named ?? EvaluationFigures.All).HasFlag(EvaluationFigures.Labels) && ReferenceLabels is not null,
            options.Seed);
        if (Reference is null && reference is not null && (ofReference.Sums || ofReference.Logits || ofReference.Max > 0))
        {
            Reference = Measured(reference, ofReference, progress, cancellation);
        }

        if (Training is null && training is not null && nearest)
        {
            Training = Measured(training, new(Sums: false, Max: training.Count, Pixels: true, Logits: false, options.Seed), progress, cancellation);
        }
    }

    /// <summary>As many training images as are measured, or all where there are fewer; <see langword="null"/> without any.</summary>
    public FeatureStatistics? Floor(long images, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        if (training is null)
        {
            return null;
        }

        var chosen = SourceBatches.Choose(training.Count, images, options.Seed);
        if (Training?.Features is { } all)
        {
            using var index = tensor(Array.ConvertAll(chosen, i => (long)i));
            using var rows = all.index_select(0, index);
            return FeatureStatistics.Of(rows, training.Name);
        }

        using var measured = Describe(SourceBatches.Of(training, chosen, options.BatchSize), new(Sums: true, Max: 0, Pixels: false, Logits: false, options.Seed), training.Name, progress, cancellation);
        var known = measured.Statistics!;
        return new FeatureStatistics(known.Mean, known.Covariance, known.Images, training.Name);
    }

    /// <summary>Measures images batch by batch.</summary>
    public MeasuredImages Describe(IEnumerable<Tensor> images, MeasuredImages.Keep keep, string name, IProgress<(string What, long Images)>? progress, CancellationToken cancellation, int[]? indices = null, long total = 0)
    {
        using var noGradients = no_grad();
        var told = progress is null ? null : new Observer(seen => progress.Report((name, seen)));
        return MeasuredImages.Of(features, SourceBatches.Of(images, options.BatchSize), keep, name, told, cancellation, indices, total);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reference?.Dispose();
        Training?.Dispose();
    }

    private void Check()
    {
        if (reference is not null)
        {
            CheckRange(reference);
        }

        if (training is not null)
        {
            CheckRange(training);
        }

        if (reference is not null && training is not null && reference.Shape != training.Shape)
        {
            throw new ArgumentException($"Training images and reference have one shape; '{training.Name}' has images of {training.Shape}, '{reference.Name}' of {reference.Shape}.");
        }

        if (statistics is not null && statistics.Mean.shape[0] != features.Features)
        {
            throw new ArgumentException($"The statistics of {statistics.Source} are of {statistics.Mean.shape[0]} features, and {features.Name} has {features.Features}.");
        }
    }

    /// <summary>A source: all images where something of all is wanted, or those that are compared with.</summary>
    private MeasuredImages Measured(IImageSource images, MeasuredImages.Keep keep, IProgress<(string What, long Images)>? progress, CancellationToken cancellation)
    {
        // What is compared is the same choice whatever else is measured, and whether or not statistics are known already.
        var chosen = SourceBatches.Choose(images.Count, keep.Max, options.Seed);
        var read = keep.Sums || keep.Logits ? SourceBatches.Choose(images.Count, images.Count, options.Seed) : chosen;
        return Describe(SourceBatches.Of(images, read, options.BatchSize), keep with { Chosen = chosen.ToHashSet() }, images.Name, progress, cancellation, read, images.Count);
    }

    /// <summary>Passes progress on at once and on the same thread.</summary>
    private sealed class Observer(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
