using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// The nearest image of a reference set, for each of some images: with the training images as reference it shows copies of them. A figure alone says little; compare it with that of real images that were held back
/// (<see cref="ShareNearerThan"/>), which have no copy among the training images. Immutable.
/// </summary>
/// <remarks>
/// Held-out images beside the generated ones: A Non-Parametric Test to Detect Data-Copying in Generative Models, arXiv:2004.05675. <see cref="Ratios"/>: Extracting Training Data from Diffusion Models,
/// arXiv:2301.13188, its measure for CIFAR-10. Distances are computed in float64; of equally near images the first counts.
/// Memory beside the images: about 32 MB and 10 MB for each thread, whatever their size.
/// </remarks>
public sealed class NearestImages
{
    private const int MaxNeighbours = 50;
    private const double CopyRatio = 0.5;
    private readonly double[] _sorted;

    private NearestImages(NearestRows nearest, (int Images, int Reference) counts, int neighbours, double unit)
    {
        (Images, ReferenceImages, Neighbours) = (counts.Images, counts.Reference, neighbours);
        var (indices, distances, ratios) = (new int[Images], new double[Images], new double[Images]);
        for (var image = 0; image < Images; image++)
        {
            var squares = nearest.Squares(image);
            (indices[image], distances[image]) = (nearest.Indices(image)[0], Math.Sqrt(squares[0] * unit));
            var sum = 0.0;
            foreach (var square in squares)
            {
                sum += Math.Sqrt(square * unit);
            }

            ratios[image] = sum > 0 ? distances[image] * neighbours / sum : 0;
        }

        (Indices, Distances, Ratios, _sorted) = (indices.AsReadOnly(), distances.AsReadOnly(), ratios.AsReadOnly(), [.. distances.Order()]);
    }

    /// <summary>The number of images.</summary>
    public int Images { get; }

    /// <summary>The number of images of the reference.</summary>
    public int ReferenceImages { get; }

    /// <summary>How many near images <see cref="Ratios"/> takes the mean of: 50, or all that there are.</summary>
    public int Neighbours { get; }

    /// <summary>By image, the number of the nearest image of the reference, from 0.</summary>
    public IReadOnlyList<int> Indices { get; }

    /// <summary>By image, the distance to it, at least 0: in pixels the root mean square difference of 8-bit values, in [0, 255]; in features the Euclidean distance, in their unit.</summary>
    public IReadOnlyList<double> Distances { get; }

    /// <summary>By image, the distance to the nearest divided by the mean distance to the <see cref="Neighbours"/> nearest, in [0, 1]: far below 1 for a copy of one image, near 1 elsewhere; 0 where all of them are equal to the image.</summary>
    public IReadOnlyList<double> Ratios { get; }

    /// <summary>The median of <see cref="Distances"/>.</summary>
    public double Median => Quantile(0.5);

    /// <summary>The smallest of <see cref="Distances"/>.</summary>
    public double Smallest => _sorted[0];

    /// <summary>
    /// The share of the images whose <see cref="Ratios"/> is at most 0.5, in [0, 1]: those that are at most half as far from the nearest image of the reference as from its <see cref="Neighbours"/> nearest on average, the nearest itself
    /// among them; the copies, by the measure of arXiv:2301.13188. An image that is equal to one of the reference counts always; one that is only near to one does not where nearly all of its nearest are as near.
    /// </summary>
    public double ShareOfCopies => (double)Ratios.Count(ratio => ratio <= CopyRatio) / Images;

    /// <summary>The nearest by pixels.</summary>
    /// <param name="images">[N, C, H, W], uint8.</param>
    /// <param name="reference">[M, C, H, W], uint8; <see langword="null"/> (default) for the other images of <paramref name="images"/> itself.</param>
    /// <param name="cancellationToken">Checked every few images.</param>
    /// <returns>The nearest images.</returns>
    /// <exception cref="ArgumentException">Images are not uint8, have unlike shapes, or there are too few.</exception>
    /// <exception cref="OperationCanceledException">The search was cancelled.</exception>
    public static NearestImages InPixels(Tensor images, Tensor? reference = null, CancellationToken cancellationToken = default)
    {
        using var rows = Pixels(images, nameof(images), reference is null);
        using var others = reference is null ? null : Pixels(reference, nameof(reference), alone: false);
        if (reference is not null && !images.shape.AsSpan(1).SequenceEqual(reference.shape.AsSpan(1)))
        {
            throw new ArgumentException(
                $"'{nameof(images)}' has images of the shape [{string.Join(", ", images.shape[1..])}] and '{nameof(reference)}' of [{string.Join(", ", reference.shape[1..])}]; they must be equal.", nameof(images));
        }

        return Of(rows, others, 1.0 / rows.Size, cancellationToken);
    }

    /// <summary>The nearest by features.</summary>
    /// <param name="images">The features of the images, [N, D].</param>
    /// <param name="reference">The features of the reference, [M, D], from the same network; <see langword="null"/> (default) for the other images of <paramref name="images"/> itself.</param>
    /// <param name="cancellationToken">Checked every few images.</param>
    /// <returns>The nearest images.</returns>
    /// <exception cref="ArgumentException">Features have another shape, unlike numbers, are not finite, or there are too few images.</exception>
    /// <exception cref="OperationCanceledException">The search was cancelled.</exception>
    public static NearestImages InFeatures(Tensor images, Tensor? reference = null, CancellationToken cancellationToken = default)
    {
        using var rows = FeatureRows.From(images, nameof(images), Needed(reference is null));
        using var others = reference is null ? null : FeatureRows.From(reference, nameof(reference));
        return Of(rows, others, 1, cancellationToken);
    }

    /// <summary>The distance below which a share of the images lies, between the two nearest where it falls between two.</summary>
    /// <param name="share">In [0, 1]; 0 is the smallest distance, 0.5 the median.</param>
    /// <returns>A distance, in the unit of <see cref="Distances"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The share is outside its range.</exception>
    public double Quantile(double share)
    {
        if (!(share >= 0 && share <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "A share must be in [0, 1].");
        }

        var position = share * (Images - 1);
        var below = (int)position;
        return below + 1 < Images ? _sorted[below] + ((position - below) * (_sorted[below + 1] - _sorted[below])) : _sorted[below];
    }

    /// <summary>The share of the images that lie nearer than a distance: with <c>heldOut.Quantile(0.01)</c> it is about 0.01 where nothing is copied.</summary>
    /// <param name="distance">A distance, in the unit of <see cref="Distances"/>.</param>
    /// <returns>A share in [0, 1].</returns>
    public double ShareBelow(double distance) => (double)Below(distance) / Images;

    /// <summary>
    /// How often an image lies nearer to the reference than a held-out image does, over all pairs of the two, ties counted half: 0.5 where the images are as new as the held-out ones, near 1 where they are copies, below 0.5 where
    /// they are like no image of the reference.
    /// </summary>
    /// <param name="heldOut">Real images that the model was not trained on, with the same reference and in the same unit.</param>
    /// <returns>A share in [0, 1].</returns>
    /// <remarks>arXiv:2004.05675: the statistic of Mann and Whitney, divided by the number of pairs.</remarks>
    /// <exception cref="ArgumentException">The held-out images were compared with another number of reference images.</exception>
    public double ShareNearerThan(NearestImages heldOut)
    {
        ArgumentNullException.ThrowIfNull(heldOut);
        if (heldOut.ReferenceImages != ReferenceImages)
        {
            throw new ArgumentException($"The images were compared with {ReferenceImages} reference images and the held-out ones with {heldOut.ReferenceImages}; the reference must be the same.", nameof(heldOut));
        }

        var pairs = 0.0;
        foreach (var distance in heldOut.Distances)
        {
            pairs += (Below(distance) + Below(Math.BitIncrement(distance))) / 2.0;
        }

        return pairs / ((double)Images * heldOut.Images);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"median {Median:G5}, smallest {Smallest:G5}, copies {ShareOfCopies:P2} ({Images} images against {ReferenceImages})");

    private static NearestImages Of(FeatureRows rows, FeatureRows? others, double unit, CancellationToken cancellationToken)
    {
        FeatureRows.CheckSize(rows, others ?? rows);
        var neighbours = Math.Min(MaxNeighbours, others?.Count ?? rows.Count - 1);
        return new(NearestRows.Of(rows, others, neighbours, cancellationToken), (rows.Count, others?.Count ?? rows.Count), neighbours, unit);
    }

    private static int Needed(bool alone) => alone ? 2 : 1;

    private static FeatureRows Pixels(Tensor images, string name, bool alone)
    {
        ArgumentNullException.ThrowIfNull(images, name);
        if (images.dtype != ScalarType.Byte || images.dim() != 4 || images.NumberOfElements == 0)
        {
            throw new ArgumentException($"'{name}' must be 8-bit images, [N, C, H, W] in uint8; it is {images.dtype} of the shape [{string.Join(", ", images.shape)}].", name);
        }

        using var flat = images.reshape(images.shape[0], -1); // [N, C, H, W] → [N, C·H·W]
        return FeatureRows.From(flat, name, Needed(alone));
    }

    /// <summary>How many images lie nearer than a distance.</summary>
    private int Below(double distance)
    {
        var (low, high) = (0, _sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _sorted[middle] < distance ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
