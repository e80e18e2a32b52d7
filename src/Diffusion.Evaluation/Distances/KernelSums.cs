namespace Diffusion.Evaluation;

/// <summary>The sums of a kernel over the pairs of two sets, and the estimates of the squared maximum mean discrepancy that they give.</summary>
/// <remarks>A Kernel Two-Sample Test, JMLR 13 (2012): the unbiased estimate is its Eq. 3, the biased one Eq. 5.</remarks>
internal sealed class KernelSums
{
    private readonly double[] _images; // by image, Σ k(x, x') without x itself
    private readonly double[] _reference;
    private readonly double[] _cross; // by image, Σ k(x, y)
    private readonly (double Images, double Reference) _diagonals;

    private KernelSums(FeatureRows images, FeatureRows reference, FeatureKernel kernel, CancellationToken cancellationToken)
    {
        (_images, var diagonal) = Within(images, kernel, cancellationToken);
        (_reference, var referenceDiagonal) = Within(reference, kernel, cancellationToken);
        _diagonals = (diagonal, referenceDiagonal);
        _cross = Between(images, reference, kernel, cancellationToken);
    }

    private double Images => _images.Length;

    private double Reference => _reference.Length;

    /// <summary>Adds up a kernel.</summary>
    public static KernelSums Of(FeatureRows images, FeatureRows reference, FeatureKernel kernel, CancellationToken cancellationToken) => new(images, reference, kernel, cancellationToken);

    /// <summary>For each row, the sum of the kernel over all columns.</summary>
    public static double[] Between(FeatureRows rows, FeatureRows columns, FeatureKernel kernel, CancellationToken cancellationToken)
    {
        var sums = new double[rows.Count];
        kernel.Visit(rows, columns, (row, _, values) => sums[row] = Add(sums[row], values), cancellationToken);
        return sums;
    }

    /// <summary>Each image is compared with others only.</summary>
    public double Unbiased() =>
        (Sum(_images) / (Images * (Images - 1))) + (Sum(_reference) / (Reference * (Reference - 1))) - (2 * Sum(_cross) / (Images * Reference));

    /// <summary>Each image is compared with itself, too.</summary>
    public double Biased() =>
        ((Sum(_images) + _diagonals.Images) / (Images * Images)) + ((Sum(_reference) + _diagonals.Reference) / (Reference * Reference)) - (2 * Sum(_cross) / (Images * Reference));

    /// <summary>What <see cref="Biased"/> is expected to be where both sets are of the reference's distribution.</summary>
    public double Bias() => ((1 / Images) + (1 / Reference)) * ((_diagonals.Reference / Reference) - (Sum(_reference) / (Reference * (Reference - 1))));

    /// <summary>The standard error of <see cref="Unbiased"/>, from what each image contributes: the first term of the variance of a U-statistic, and somewhat too large where both sets have the same distribution.</summary>
    /// <param name="referenceCross">By image of the reference, Σ k(x, y).</param>
    public double StandardError(double[] referenceCross) =>
        2 * Math.Sqrt((Variance(_images, _cross, Reference) / Images) + (Variance(_reference, referenceCross, Images) / Reference));

    private static (double[] Sums, double Diagonal) Within(FeatureRows rows, FeatureKernel kernel, CancellationToken cancellationToken)
    {
        var (sums, diagonal) = (new double[rows.Count], new double[rows.Count]);
        kernel.Visit(rows, rows, Visit, cancellationToken);
        return (sums, Sum(diagonal));

        void Visit(int row, int first, Span<double> values)
        {
            if (row >= first && row < first + values.Length)
            {
                (diagonal[row], values[row - first]) = (values[row - first], 0);
            }

            sums[row] = Add(sums[row], values);
        }
    }

    /// <summary>The variance of (Σ within)/(n − 1) − (Σ cross)/m over the images of a set.</summary>
    private static double Variance(double[] within, double[] cross, double others)
    {
        var parts = within.Zip(cross, (own, other) => (own / (within.Length - 1)) - (other / others)).ToArray();
        var mean = Sum(parts) / parts.Length;
        return parts.Sum(part => (part - mean) * (part - mean)) / (parts.Length - 1);
    }

    private static double Sum(ReadOnlySpan<double> values) => Add(0, values);

    private static double Add(double sum, ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            sum += value;
        }

        return sum;
    }
}
