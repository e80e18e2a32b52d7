using Diffusion.Evaluation;

namespace Diffusion;

/// <summary>All figures of a set of images against a reference that takes the place of the training images.</summary>
/// <param name="Frechet">The Fréchet distance, with its bias.</param>
/// <param name="Kernel">The kernel distance, with its standard error.</param>
/// <param name="Quality">Precision and recall.</param>
/// <param name="Spread">Density and coverage.</param>
/// <param name="Score">The Inception score.</param>
/// <param name="Accuracy">The share of the images that are of their label.</param>
/// <param name="NearestPixels">The nearest of the reference, by pixels.</param>
/// <param name="NearestFeatures">The nearest of the reference, by features.</param>
public sealed record SetFigures(
    DistanceEstimate Frechet, DistanceEstimate Kernel, PrecisionRecall Quality, DensityCoverage Spread, InceptionScore Score, double Accuracy, NearestImages NearestPixels, NearestImages NearestFeatures)
{
    /// <summary>Of one set.</summary>
    /// <param name="images">The set.</param>
    /// <param name="reference">What it is compared with.</param>
    public static SetFigures Of(MeasuredSet images, MeasuredSet reference)
    {
        using var statistics = FeatureStatistics.Of(images.Features, "images");
        using var expected = FeatureStatistics.Of(reference.Features, "reference");
        return new SetFigures(
            FrechetDistance.Between(statistics, expected),
            KernelDistance.Between(images.Features, reference.Features, new KernelDistanceOptions { Subsets = 20, SubsetSize = (int)Math.Min(1000, images.Features.shape[0] / 2) }),
            PrecisionRecall.Of(images.Features, reference.Features),
            DensityCoverage.Of(images.Features, reference.Features),
            InceptionScore.Of(images.Logits, seed: 0),
            images.Accuracy(),
            NearestImages.InPixels(images.Images, reference.Images),
            NearestImages.InFeatures(images.Features, reference.Features));
    }
}
