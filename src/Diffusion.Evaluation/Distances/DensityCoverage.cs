using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>How densely the images lie where the reference does, and how much of the reference has an image near.</summary>
/// <param name="Density">In how many neighbourhoods of the reference an image lies, divided by k: about 1 for images of the reference's distribution, above it where they crowd into its dense parts; at least 0.</param>
/// <param name="Coverage">The share of the reference with an image in its neighbourhood, in [0, 1].</param>
/// <param name="Neighbours">k: a neighbourhood reaches to the k-th nearest image of the reference.</param>
/// <param name="Images">The number of images.</param>
/// <param name="ReferenceImages">The number of images of the reference.</param>
/// <remarks>
/// Reliable Fidelity and Diversity Metrics for Generative Models, arXiv:2002.09797, section 3, with k = 5 there. A distance equal to the radius is outside, as in the authors' package prdc. For equal distributions and as many images as
/// reference images the coverage is about 1 − 2⁻ᵏ for large sets; it grows with the number of images.
/// </remarks>
public sealed record DensityCoverage(double Density, double Coverage, int Neighbours, int Images, int ReferenceImages)
{
    /// <summary>Density and coverage of images. Distances are computed in float64, exactly where the features are small whole numbers.</summary>
    /// <param name="images">The features of the images, [N, D].</param>
    /// <param name="reference">The features of the images to compare with, [M, D], from the same network.</param>
    /// <param name="neighbours">k, at least 1 and less than M; 5 by default.</param>
    /// <param name="cancellationToken">Checked every few images.</param>
    /// <returns>Density and coverage.</returns>
    /// <exception cref="ArgumentException">Features have another shape, unlike numbers, or are not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">k is outside its range.</exception>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public static DensityCoverage Of(Tensor images, Tensor reference, int neighbours = 5, CancellationToken cancellationToken = default)
    {
        using var rows = FeatureRows.From(images, nameof(images));
        using var others = FeatureRows.From(reference, nameof(reference));
        FeatureRows.CheckSize(rows, others);
        return Of(rows, new Neighbourhoods(others, neighbours, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"density {Density:F4}, coverage {Coverage:F4} (k = {Neighbours}, {Images} images against {ReferenceImages})");

    /// <summary>Density and coverage, where the neighbourhoods of the reference are known.</summary>
    internal static DensityCoverage Of(FeatureRows images, Neighbourhoods reference, CancellationToken cancellationToken)
    {
        var (others, neighbours) = (reference.Centres, reference.Neighbours);
        var inside = reference.Count(images, strict: true, cancellationToken).Sum(count => (long)count);
        var nearest = NearestRows.Of(others, images, 1, cancellationToken).Radii();
        var covered = nearest.Zip(reference.Squares).Count(pair => pair.First < pair.Second);
        return new(inside / ((double)neighbours * images.Count), (double)covered / others.Count, neighbours, images.Count, others.Count);
    }
}
