using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// How sure a classifier is of each image and how evenly the images spread over its classes: exp of the mean divergence of p(class | image) from p(class), in [1, classes], larger for better images. There is no reference:
/// one perfect image of each class has the largest score, and images that a classifier of other images is unsure of have a low one, real or not.
/// </summary>
/// <param name="Mean">The mean over the splits, in [1, classes].</param>
/// <param name="Deviation">The standard deviation over the splits, without n − 1, as it is printed elsewhere; 0 for one split.</param>
/// <param name="Images">The number of images.</param>
/// <param name="Splits">The number of splits.</param>
/// <remarks>
/// Improved Techniques for Training GANs, arXiv:1606.03498, section 4. The mean is biased downwards in small splits, and so depends on the number of images: with K classes and n images a split, by up to (K − 1)/2n of its value to first order, the bias of an entropy (Miller, Note on the bias of
/// information estimates, 1955), and it is at most n. 5000 a split are usual. For digits it says next to nothing: with a
/// classifier of ten digits real images come near 10, the largest score, and so does any set of readable digits, each drawn the same way; with a classifier of photographs the figure has no meaning (A Note on the Inception Score, arXiv:1801.01973).
/// </remarks>
public sealed record InceptionScore(double Mean, double Deviation, int Images, int Splits)
{
    /// <summary>The score of images by the logits of a classifier. The softmax is computed in float64.</summary>
    /// <param name="logits">[N, classes], finite: the classifier's outputs before the softmax.</param>
    /// <param name="splits">In how many parts of adjacent images the set is cut, in [1, N]; 10 by default. A part must look like the whole set: images sorted by class need a <paramref name="seed"/>.</param>
    /// <param name="seed">Puts the images in a random order first; <see langword="null"/> (default) for their own order.</param>
    /// <returns>The score.</returns>
    /// <exception cref="ArgumentException">The logits have another shape or are not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer splits than 1 or more than images.</exception>
    public static InceptionScore Of(Tensor logits, int splits = 10, long? seed = null)
    {
        using var rows = FeatureRows.From(logits, nameof(logits));
        if (splits < 1 || splits > rows.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(splits), splits, $"The number of splits must be in [1, {rows.Count}], the number of images.");
        }

        var order = seed is { } given ? new Permutation(rows.Count, given) : null;
        var scores = new double[splits];
        for (var split = 0; split < splits; split++)
        {
            var (first, end) = ((int)((long)split * rows.Count / splits), (int)((split + 1L) * rows.Count / splits));
            scores[split] = Score(rows, [.. Enumerable.Range(first, end - first).Select(i => order?.At(i) ?? i)]);
        }

        var mean = scores.Average();
        return new(mean, Math.Sqrt(scores.Average(score => (score - mean) * (score - mean))), rows.Count, splits);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Mean:G6} ± {Deviation:G3} ({Images} images, {Splits} splits)");

    private static double Score(FeatureRows logits, int[] images)
    {
        var (values, marginal, negativeEntropy) = (new double[logits.Size], new double[logits.Size], 0.0);
        foreach (var image in images)
        {
            logits.Copy(image, 1, values);
            var max = values.Max();
            var logSum = max + Math.Log(values.Sum(value => Math.Exp(value - max)));
            for (var k = 0; k < values.Length; k++)
            {
                var probability = Math.Exp(values[k] - logSum);
                marginal[k] += probability / images.Length;
                negativeEntropy += probability * (values[k] - logSum) / images.Length;
            }
        }

        // The mean divergence is Σ p log p, averaged over the images, less Σ q log q of their mean q.
        return Math.Exp(negativeEntropy - marginal.Where(share => share > 0).Sum(share => share * Math.Log(share)));
    }
}
