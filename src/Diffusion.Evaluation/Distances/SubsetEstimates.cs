namespace Diffusion.Evaluation;

/// <summary>A discrepancy estimated on subsets of two sets.</summary>
/// <param name="Values">One a subset.</param>
/// <param name="Bias">The mean of what the values are expected to be between sets of the reference's distribution: 0 for unbiased ones.</param>
/// <param name="Share">Which part of a set a subset is, in (0, 1]: the larger of the two.</param>
internal sealed record SubsetEstimates(IReadOnlyList<double> Values, double Bias, double Share)
{
    /// <summary>The estimate.</summary>
    public double Mean => Values.Average();

    /// <summary>How far the values lie apart: the standard deviation without n − 1, which other libraries print beside the mean.</summary>
    public double Deviation
    {
        get
        {
            var mean = Mean;
            return Math.Sqrt(Values.Average(value => (value - mean) * (value - mean)));
        }
    }

    /// <summary>
    /// The standard error of <see cref="Mean"/>; <see langword="null"/> for one subset, or where a subset is a whole set. Subsets of the same images are not independent: with f = <see cref="Share"/> and m subsets
    /// the variance of the mean is V·(f + (1 − f)/m), V being that of a subset, while the variance among the subsets is only V·(1 − f). Deviation/√m alone would be too small.
    /// </summary>
    public double? StandardError => Values.Count < 2 || Share >= 1
        ? null
        : Deviation * Math.Sqrt(Values.Count / (Values.Count - 1.0) * ((Share / (1 - Share)) + (1.0 / Values.Count)));

    /// <summary>Estimates on given subsets.</summary>
    /// <param name="images">[N, D].</param>
    /// <param name="reference">[M, D].</param>
    /// <param name="options">The kernel and the form of the estimate.</param>
    /// <param name="subsets">The indices of the images and of the reference's in each subset.</param>
    /// <param name="cancellationToken">Checked in between.</param>
    public static SubsetEstimates Of(
        FeatureRows images, FeatureRows reference, KernelDistanceOptions options, IEnumerable<(int[] Images, int[] Reference)> subsets, CancellationToken cancellationToken)
    {
        var (values, bias, share) = (new List<double>(), 0.0, 0.0);
        foreach (var subset in subsets)
        {
            using var left = images.Take(subset.Images);
            using var right = reference.Take(subset.Reference);
            var sums = KernelSums.Of(left, right, options.Kernel, cancellationToken);
            values.Add((options.Biased ? sums.Biased() : sums.Unbiased()) * options.Scale);
            bias += options.Biased ? sums.Bias() * options.Scale : 0;
            share = Math.Max((double)left.Count / images.Count, (double)right.Count / reference.Count);
        }

        return new(values, bias / values.Count, share);
    }

    /// <summary>Subsets drawn without replacement.</summary>
    public static IEnumerable<(int[] Images, int[] Reference)> Draw(int images, int reference, KernelDistanceOptions options) =>
        from subset in Enumerable.Range(0, options.Subsets ?? 1)
        select (Draw(images, options.SubsetSize, options.Seed, 2L * subset), Draw(reference, options.SubsetSize, options.Seed, (2L * subset) + 1));

    private static int[] Draw(int count, int size, long seed, long stream)
    {
        var random = new SeededRandom(seed, stream);
        int[] order = [.. Enumerable.Range(0, count)];
        for (var i = 0; i < size; i++)
        {
            var j = i + random.Next(count - i);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order[..size];
    }
}
