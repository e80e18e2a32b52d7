using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>The figures of images that the network has seen.</summary>
/// <param name="options">How they are measured.</param>
/// <param name="features">The name of the features.</param>
/// <param name="images">The images.</param>
/// <param name="reference">The images to compare with; <see langword="null"/> without any.</param>
/// <param name="referenceName">What those are.</param>
internal sealed class EvaluationMeasures(EvaluationOptions options, string features, MeasuredImages images, MeasuredImages? reference, string? referenceName)
{
    private const double Sure = 0.9;
    private const double MaxMissing = 0.01; // of an Inception score
    private const int MaxKernelSubset = 1000;
    private const int FewTraining = 20; // times the neighbours that copies are told by

    /// <summary>How many images the classifier takes for which class; empty where it was not asked.</summary>
    public static IReadOnlyList<(string Class, long Images)> Histogram(MeasuredImages images, IReadOnlyList<string> classNames)
    {
        if (images.Logits is null)
        {
            return [];
        }

        using var best = images.Logits.argmax(1);
        var counts = best.data<long>().ToArray().CountBy(label => label).ToDictionary();
        return [.. classNames.Select((name, label) => (name, (long)counts.GetValueOrDefault(label)))];
    }

    /// <summary>The Fréchet distance, that of training images, and what the one has more than the other.</summary>
    /// <param name="statistics">Of the reference.</param>
    /// <param name="floor">Of training images.</param>
    public IEnumerable<EvaluationFigure> Frechet(FeatureStatistics statistics, FeatureStatistics? floor)
    {
        var distance = Figure("frechetDistance", FrechetDistance.Between(images.Statistics!, statistics));
        yield return distance;
        if (floor is null)
        {
            yield break;
        }

        var smallest = Figure("frechetDistanceFloor", FrechetDistance.Between(floor, statistics)) with { Remark = $"between {floor.Images} images of {floor.Source} and the reference" };
        yield return smallest;
        yield return distance with
        {
            Name = "frechetDistanceExcess", Value = distance.Value - smallest.Value, Bias = null, StandardError = null,
            Remark = floor.Images == images.Count ? "the distance less the floor" : $"the distance less the floor, which is of {floor.Images} images: of as many the excess would be another",
        };
    }

    /// <summary>What compares features with features.</summary>
    public IEnumerable<EvaluationFigure> Pairs(EvaluationPlan plan, CancellationToken cancellation)
    {
        if (plan.Has(EvaluationFigures.KernelDistance))
        {
            // At most half of a set: subsets that are a whole set say nothing about the standard error.
            var size = (int)Math.Clamp(Math.Min(images.Kept, reference!.Kept) / 2, 2, MaxKernelSubset);
            yield return Limited(Figure("kernelDistance", KernelDistance.Between(images.Features!, reference.Features!, new KernelDistanceOptions { SubsetSize = size, Seed = options.Seed }, cancellation)));
        }

        if (!plan.Has(EvaluationFigures.PrecisionRecall | EvaluationFigures.DensityCoverage))
        {
            yield break;
        }

        // Whether an image lies among as many neighbours depends on how many there are of either set.
        var count = Math.Min(images.Kept, reference!.Kept);
        using Tensor some = Chosen(images.Features!, count), others = Chosen(reference.Features!, count);
        using FeatureRows rows = FeatureRows.From(some, nameof(images)), otherRows = FeatureRows.From(others, nameof(reference));
        var neighbourhoods = new Neighbourhoods(otherRows, options.Neighbours, cancellation);
        if (plan.Has(EvaluationFigures.PrecisionRecall))
        {
            var measured = PrecisionRecall.Of(rows, neighbourhoods, strict: false, cancellation);
            yield return Limited(Compared("precision", measured.Precision, measured.Images, measured.ReferenceImages));
            yield return Limited(Compared("recall", measured.Recall, measured.Images, measured.ReferenceImages));
        }

        if (plan.Has(EvaluationFigures.DensityCoverage))
        {
            var measured = DensityCoverage.Of(rows, neighbourhoods, cancellation);
            yield return Limited(Compared("density", measured.Density, measured.Images, measured.ReferenceImages));
            yield return Limited(Compared("coverage", measured.Coverage, measured.Images, measured.ReferenceImages));
        }
    }

    /// <summary>What the classifier says of the images.</summary>
    /// <param name="plan">What is measured.</param>
    /// <param name="labels">The classes that were asked for.</param>
    /// <param name="referenceLabels">The classes of the reference's images; <see langword="null"/> where they are not those of the classifier.</param>
    public IEnumerable<EvaluationFigure> Classes(EvaluationPlan plan, IReadOnlyList<long>? labels, IReadOnlyList<long>? referenceLabels)
    {
        if (plan.Has(EvaluationFigures.InceptionScore))
        {
            var score = InceptionScore.Of(images.Logits!, options.Splits, options.Seed);
            yield return new EvaluationFigure("inceptionScore", score.Mean, score.Images)
            {
                Features = features, Remark = string.Create(CultureInfo.InvariantCulture, $"standard deviation over {score.Splits} splits {score.Deviation:G3}{OfFew(score.Images / score.Splits, images.Logits!.shape[1])}"),
            };
        }

        if (!plan.Has(EvaluationFigures.Labels))
        {
            yield break;
        }

        var (right, sure) = Right(images.Logits!, labels!);
        yield return Share("labelAccuracy", right, images.Count) with { Remark = "the share of images whose class is the one that was asked for" };
        yield return Share("labelAccuracySure", sure, images.Count) with { Remark = string.Create(CultureInfo.InvariantCulture, $"the same, with a probability above {Sure}") };
        if (reference?.Logits is { } logits && referenceLabels is not null)
        {
            (right, sure) = Right(logits, referenceLabels);
            yield return Share("referenceLabelAccuracy", right, reference.Count) with { Remark = $"the same of the reference, {referenceName}: what the classifier itself gets wrong is missing there" };
            yield return Share("referenceLabelAccuracySure", sure, reference.Count);
        }
    }

    /// <summary>How near the images, and those of the reference, are to training images.</summary>
    /// <param name="training">All training images.</param>
    /// <param name="trainingName">What they are.</param>
    /// <param name="cancellation">Checked on the way.</param>
    public IEnumerable<EvaluationFigure> Nearest(MeasuredImages training, string trainingName, CancellationToken cancellation) =>
    [
        .. Nearest("Pixels", set => NearestImages.InPixels(set.Pixels!, training.Pixels!, cancellation), training.Count, trainingName),
        .. training.Features!.shape[1] == 0 ? [] : Nearest("Features", set => NearestImages.InFeatures(set.Features!, training.Features!, cancellation), training.Count, trainingName),
    ];

    private List<EvaluationFigure> Nearest(string unit, Func<MeasuredImages, NearestImages> find, long training, string trainingName)
    {
        var found = find(images);
        var few = training < FewTraining * (long)found.Neighbours ? $"; says little: the {found.Neighbours} nearest are no neighbourhood among only {training} training images" : "";
        var figures = new List<EvaluationFigure>
        {
            Of("nearest", found, found.Median) with { Remark = string.Create(CultureInfo.InvariantCulture, $"the median distance to the nearest of {trainingName}; the smallest {found.Smallest:G5}") },
            Of("copies", found, found.ShareOfCopies) with { Remark = $"the share of images that are at most half as far from the nearest training image as from the {found.Neighbours} nearest on average{few}" },
        };
        if (reference is not null)
        {
            var heldOut = find(reference);
            figures.Add(Of("nearestReference", heldOut, heldOut.Median) with { Remark = string.Create(CultureInfo.InvariantCulture, $"the same of the reference, {referenceName}; the smallest {heldOut.Smallest:G5}") });
            figures.Add(Of("copiesReference", heldOut, heldOut.ShareOfCopies) with { Remark = $"the same of the reference, {referenceName}{few}" });
            figures.Add(Of("nearerThanReference", found, found.ShareNearerThan(heldOut)) with { Remark = "how often an image is nearer to a training image than an image of the reference is: 0.5 where they are as new, near 1 for copies" });
        }

        return figures;

        EvaluationFigure Of(string name, NearestImages nearest, double value) =>
            new(name + unit, value, nearest.Images) { ReferenceImages = training, Reference = trainingName, Features = unit == "Features" ? features : null };
    }

    private Tensor Chosen(Tensor rows, long count)
    {
        using var index = tensor(Array.ConvertAll(SourceBatches.Choose((int)rows.shape[0], count, options.Seed), i => (long)i));
        return rows.index_select(0, index);
    }

    /// <summary>What an Inception score of small splits is worth; empty where they are large.</summary>
    private static string OfFew(int images, long classes)
    {
        var missing = (classes - 1) / (2.0 * images); // of the score: InceptionScore
        return images < classes ? FormattableString.Invariant($"; says nothing: {images} image(s) a split cannot show {classes} classes, and the score is at most {images}")
            : missing > MaxMissing ? FormattableString.Invariant($"; up to {100 * missing:F1} % too small, for a split has only {images} images")
            : "";
    }

    private static (long Right, long Sure) Right(Tensor logits, IReadOnlyList<long> labels)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (probability, best) = logits.to(ScalarType.Float64).softmax(1).max(1);
        var (shown, certain) = (best.data<long>().ToArray(), probability.data<double>().ToArray());
        var right = Enumerable.Range(0, shown.Length).Where(i => shown[i] == labels[i]).ToArray();
        return (right.Length, right.Count(i => certain[i] > Sure));
    }

    private EvaluationFigure Share(string name, long part, long all)
    {
        var share = (double)part / all;
        return new EvaluationFigure(name, share, all) { StandardError = Math.Sqrt(share * (1 - share) / all), Features = features };
    }

    private EvaluationFigure Figure(string name, DistanceEstimate estimate) => new(name, estimate.Value, estimate.Images ?? images.Count)
    {
        StandardError = estimate.StandardError, Bias = estimate.Bias, ReferenceImages = estimate.ReferenceImages, Reference = referenceName, Features = features, Remark = estimate.Remark,
    };

    private EvaluationFigure Compared(string name, double value, long count, long referenceCount) => new(name, value, count) { ReferenceImages = referenceCount, Reference = referenceName, Features = features };

    /// <summary>Says where not all images were compared.</summary>
    private EvaluationFigure Limited(EvaluationFigure figure) => images.Count == figure.Images && reference!.Total == figure.ReferenceImages ? figure : figure with
    {
        Remark = $"{(figure.Remark is null ? "" : figure.Remark + "; ")}of {figure.Images} of {images.Count} images and {figure.ReferenceImages} of the {reference!.Total} of the reference",
    };
}
