using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>How many images look like the reference, and how much of the reference the images cover. One image far away in the reference raises the precision of everything near it; <see cref="DensityCoverage"/> is less moved by it.</summary>
/// <param name="Precision">The share of the images that lie in a neighbourhood of an image of the reference, in [0, 1].</param>
/// <param name="Recall">The share of the reference that lies in a neighbourhood of an image, in [0, 1].</param>
/// <param name="Neighbours">k: a neighbourhood reaches to the k-th nearest image of the same set.</param>
/// <param name="Images">The number of images.</param>
/// <param name="ReferenceImages">The number of images of the reference.</param>
/// <remarks>
/// Improved Precision and Recall Metric for Assessing Generative Models, arXiv:1904.06991, Eq. 1 and 2, with k = 3 there. The radii shrink with the number of images: figures with other numbers of images, or another k, cannot be compared.
/// </remarks>
public sealed record PrecisionRecall(double Precision, double Recall, int Neighbours, int Images, int ReferenceImages)
{
    /// <summary>2·precision·recall/(precision + recall), 0 where both are 0.</summary>
    public double FScore => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;

    /// <summary>Precision and recall of images. Distances are computed in float64, exactly where the features are small whole numbers.</summary>
    /// <param name="images">The features of the images, [N, D].</param>
    /// <param name="reference">The features of the images to compare with, [M, D], from the same network.</param>
    /// <param name="neighbours">k, at least 1 and less than N and M; 5 by default.</param>
    /// <param name="strict">Whether a distance equal to the radius is outside, as the package prdc has it; false by default, as in the paper and torch-fidelity.</param>
    /// <param name="cancellationToken">Checked every few images.</param>
    /// <returns>Precision and recall.</returns>
    /// <exception cref="ArgumentException">Features have another shape, unlike numbers, or are not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">k is outside its range.</exception>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public static PrecisionRecall Of(Tensor images, Tensor reference, int neighbours = 5, bool strict = false, CancellationToken cancellationToken = default)
    {
        using var rows = FeatureRows.From(images, nameof(images));
        using var others = FeatureRows.From(reference, nameof(reference));
        FeatureRows.CheckSize(rows, others);
        return Of(rows, new Neighbourhoods(others, neighbours, cancellationToken), strict, cancellationToken);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"precision {Precision:F4}, recall {Recall:F4} (k = {Neighbours}, {Images} images against {ReferenceImages})");

    /// <summary>Precision and recall, where the neighbourhoods of the reference are known.</summary>
    internal static PrecisionRecall Of(FeatureRows images, Neighbourhoods reference, bool strict, CancellationToken cancellationToken)
    {
        var covered = reference.Count(images, strict, cancellationToken);
        var reached = new Neighbourhoods(images, reference.Neighbours, cancellationToken).Count(reference.Centres, strict, cancellationToken);
        return new(Share(covered), Share(reached), reference.Neighbours, images.Count, reference.Centres.Count);

        static double Share(int[] counts) => (double)counts.Count(count => count > 0) / counts.Length;
    }
}
