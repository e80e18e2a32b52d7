namespace Diffusion.Evaluation;

/// <summary>What a covariance has to be.</summary>
internal static class Matrix
{
    // What statistics have by rounding, those of float16 too, is less: as a part of the largest element, and of what two variances allow.
    private const double MaxRounding = 1e-5;
    private const double MaxCorrelation = 1.01;

    /// <summary>What is wrong with a mean and a covariance; <see langword="null"/> where nothing is.</summary>
    /// <param name="mean">[n].</param>
    /// <param name="covariance">[n, n].</param>
    /// <param name="n">The number of features.</param>
    /// <param name="tolerance">By how much numbers on both sides of the diagonal may differ, as a part of the largest.</param>
    /// <param name="smallest">The smallest number above 0 of the type that they were given in, as far as it matters: variances below it have become 0. 0 by default.</param>
    public static string? Problem(ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance, int n, double tolerance, double smallest = 0)
    {
        for (var i = 0; i < n; i++)
        {
            if (!double.IsFinite(mean[i]))
            {
                return FormattableString.Invariant($"the mean of feature {i} is {mean[i]}");
            }
        }

        foreach (var value in covariance)
        {
            if (!double.IsFinite(value))
            {
                return FormattableString.Invariant($"the covariance has an element {value}");
            }
        }

        var largest = SymmetricEigenvalues.Largest(covariance);
        return Asymmetric(covariance, n, tolerance * largest) ?? TooLarge(covariance, n, MaxRounding * largest, smallest);
    }

    /// <summary>A covariance that two variances do not allow, |Σᵢⱼ|² ≤ ΣᵢᵢΣⱼⱼ: of a feature that is always the same every one is 0.</summary>
    private static string? TooLarge(ReadOnlySpan<double> covariance, int n, double allowed, double smallest)
    {
        var deviations = new double[n];
        for (var i = 0; i < n; i++)
        {
            deviations[i] = Math.Sqrt(covariance[(i * n) + i] + smallest);
        }

        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (Math.Abs(covariance[(i * n) + j]) > (MaxCorrelation * deviations[i] * deviations[j]) + allowed)
                {
                    return FormattableString.Invariant(
                        $"the covariance of features {i} and {j} is {covariance[(i * n) + j]}, more than their variances, {covariance[(i * n) + i]} and {covariance[(j * n) + j]}, allow");
                }
            }
        }

        return null;
    }

    private static string? Asymmetric(ReadOnlySpan<double> covariance, int n, double allowed)
    {
        for (var i = 0; i < n; i++)
        {
            if (covariance[(i * n) + i] < 0)
            {
                return FormattableString.Invariant($"the variance of feature {i} is {covariance[(i * n) + i]}, below 0");
            }

            for (var j = 0; j < i; j++)
            {
                var (below, above) = (covariance[(i * n) + j], covariance[(j * n) + i]);
                if (Math.Abs(below - above) > allowed)
                {
                    return FormattableString.Invariant($"the covariance is not symmetric: its element [{i}, {j}] is {below}, and [{j}, {i}] is {above}");
                }
            }
        }

        return null;
    }
}
