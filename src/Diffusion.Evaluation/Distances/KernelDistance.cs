using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// The squared maximum mean discrepancy between the features of two sets of images: 0 in expectation where both have the same distribution, whatever the number of images, so that it is the distance for few images.
/// Unlike the Fréchet distance it can come out below 0. With features of an Inception network and the default options it is the kernel inception distance (KID).
/// </summary>
/// <remarks>
/// Demystifying MMD GANs, arXiv:1801.01401; CMMD is <see cref="KernelDistanceOptions.Cmmd"/>, arXiv:2401.09603. In float64 and in blocks. The same features, options and machine give the same bits, whatever the number of threads.
/// </remarks>
public static class KernelDistance
{
    /// <summary>The distance.</summary>
    /// <param name="images">The features of the images, [N, D], N ≥ 2.</param>
    /// <param name="reference">The features of the images to compare with, [M, D], M ≥ 2, from the same network.</param>
    /// <param name="options">How it is estimated; <see langword="null"/> (default) for the defaults.</param>
    /// <param name="cancellationToken">Checked every few images.</param>
    /// <returns>
    /// The distance, in the unit of the kernel times <see cref="KernelDistanceOptions.Scale"/>. Its standard error says what other images of the same distributions would change, to first order; <see langword="null"/> for one
    /// subset, or where a subset is a whole set. The bias is 0, and above 0 where <see cref="KernelDistanceOptions.Biased"/> is set.
    /// </returns>
    /// <exception cref="ArgumentException">Features have another shape, unlike numbers, too few images, are not finite or so large that the kernel is not; the options have mistakes, or a subset is larger than a set.</exception>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public static DistanceEstimate Between(Tensor images, Tensor reference, KernelDistanceOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new KernelDistanceOptions();
        options.ThrowIfInvalid();
        using var rows = FeatureRows.From(images, nameof(images), min: 2);
        using var others = FeatureRows.From(reference, nameof(reference), min: 2);
        FeatureRows.CheckSize(rows, others);
        if (options.Subsets is null)
        {
            return OfAll(rows, others, options, cancellationToken);
        }

        CheckSubset(rows, options);
        CheckSubset(others, options);
        var estimates = SubsetEstimates.Of(rows, others, options, SubsetEstimates.Draw(rows.Count, others.Count, options), cancellationToken);
        return Checked(new(estimates.Mean, estimates.StandardError, estimates.Bias, rows.Count, others.Count)
        {
            Remark = FormattableString.Invariant($"{options.Form}, {options.Subsets} subsets of {options.SubsetSize}, seed {options.Seed}"),
        });
    }

    /// <summary>The distance on given subsets.</summary>
    /// <param name="images">[N, D].</param>
    /// <param name="reference">[M, D].</param>
    /// <param name="options">The kernel and the form of the estimate.</param>
    /// <param name="subsets">The indices of the images and of the reference's in each subset.</param>
    internal static SubsetEstimates OnSubsets(Tensor images, Tensor reference, KernelDistanceOptions options, IEnumerable<(int[] Images, int[] Reference)> subsets)
    {
        using var rows = FeatureRows.From(images, nameof(images), min: 2);
        using var others = FeatureRows.From(reference, nameof(reference), min: 2);
        FeatureRows.CheckSize(rows, others);
        return SubsetEstimates.Of(rows, others, options, subsets, CancellationToken.None);
    }

    private static DistanceEstimate OfAll(FeatureRows images, FeatureRows reference, KernelDistanceOptions options, CancellationToken cancellationToken)
    {
        var sums = KernelSums.Of(images, reference, options.Kernel, cancellationToken);
        var error = sums.StandardError(KernelSums.Between(reference, images, options.Kernel, cancellationToken));
        return Checked(new(
            (options.Biased ? sums.Biased() : sums.Unbiased()) * options.Scale,
            error * options.Scale,
            options.Biased ? sums.Bias() * options.Scale : 0,
            images.Count,
            reference.Count)
        {
            Remark = options.Form,
        });
    }

    private static void CheckSubset(FeatureRows rows, KernelDistanceOptions options)
    {
        if (options.SubsetSize > rows.Count)
        {
            throw new ArgumentException(
                $"Subsets of {options.SubsetSize} images cannot be drawn from the {rows.Count} of '{rows.Name}'. Choose a smaller {nameof(KernelDistanceOptions.SubsetSize)}, or set "
                + $"{nameof(KernelDistanceOptions.Subsets)} to null for all images at once.",
                rows.Name);
        }
    }

    private static DistanceEstimate Checked(DistanceEstimate estimate) => double.IsFinite(estimate.Value)
        ? estimate
        : throw new ArgumentException($"The kernel of these features is beyond float64 and the distance {FormattableString.Invariant($"{estimate.Value}")}; scale the features, or choose a smaller γ.");
}
