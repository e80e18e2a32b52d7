namespace Diffusion.Evaluation;

/// <summary>What a covariance has to be.</summary>
internal static class Matrix
{
    /// <summary>What is wrong with a mean and a covariance; <see langword="null"/> where nothing is.</summary>
    /// <param name="mean">[n].</param>
    /// <param name="covariance">[n, n].</param>
    /// <param name="n">The number of features.</param>
    /// <param name="tolerance">By how much numbers on both sides of the diagonal may differ, as a part of the largest.</param>
    public static string? Problem(ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance, int n, double tolerance)
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

        return Asymmetric(covariance, n, tolerance * SymmetricEigenvalues.Largest(covariance));
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
