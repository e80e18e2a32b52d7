namespace Diffusion.Evaluation;

/// <summary>Eigenvalues of symmetric tridiagonal matrices.</summary>
/// <remarks>The implicit QL method: Dubrulle, Martin and Wilkinson, The Implicit QL Algorithm, Numerische Mathematik 12 (1968). The error is that of rounding of the largest eigenvalue.</remarks>
internal static class Tridiagonal
{
    private const int MaxSteps = 100; // 2 or 3 are usual
    private const double Rounding = 1.0 / (1L << 53);

    /// <summary>Overwrites the diagonal with the eigenvalues, in no order.</summary>
    /// <param name="diagonal">n numbers.</param>
    /// <param name="beside">The n − 1 numbers beside it, and one more; overwritten.</param>
    /// <exception cref="ArithmeticException">They do not converge, which finite numbers do.</exception>
    public static void Solve(Span<double> diagonal, Span<double> beside)
    {
        var n = diagonal.Length;
        var norm = 0.0;
        for (var i = 0; i < n; i++)
        {
            norm = Math.Max(norm, Math.Abs(diagonal[i]) + (i < n - 1 ? Math.Abs(beside[i]) : 0));
        }

        for (var first = 0; first < n; first++)
        {
            for (var steps = 0; ; steps++)
            {
                var last = first;
                while (last < n - 1 && Math.Abs(beside[last]) > Rounding * norm)
                {
                    last++;
                }

                if (last == first)
                {
                    break;
                }

                if (steps == MaxSteps)
                {
                    throw new ArithmeticException($"Eigenvalue {first} of {n} did not converge in {MaxSteps} steps.");
                }

                Step(diagonal, beside, first, last);
            }
        }
    }

    /// <summary>One implicit step with Wilkinson's shift, on the block from <paramref name="first"/> to <paramref name="last"/>.</summary>
    private static void Step(Span<double> d, Span<double> e, int first, int last)
    {
        var ratio = (d[first + 1] - d[first]) / (2 * e[first]);
        var root = Math.Sqrt((ratio * ratio) + 1);
        var g = d[last] - d[first] + (e[first] / (ratio + (ratio < 0 ? -root : root)));
        var (sine, cosine, shift) = (1.0, 1.0, 0.0);
        for (var i = last - 1; i >= first; i--)
        {
            var (f, b) = (sine * e[i], cosine * e[i]);
            var length = Math.Sqrt((f * f) + (g * g));
            e[i + 1] = length;
            if (length == 0)
            {
                // The block has come apart here.
                d[i + 1] -= shift;
                e[last] = 0;
                return;
            }

            (sine, cosine) = (f / length, g / length);
            g = d[i + 1] - shift;
            var r = ((d[i] - g) * sine) + (2 * cosine * b);
            shift = sine * r;
            d[i + 1] = g + shift;
            g = (cosine * r) - b;
        }

        d[first] -= shift;
        e[first] = g;
        e[last] = 0;
    }
}
