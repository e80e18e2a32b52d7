namespace Diffusion.Evaluation;

/// <summary>Eigenvalues of symmetric matrices, in float64.</summary>
/// <remarks>
/// Householder's tridiagonal form (Golub and Van Loan, Matrix Computations, 8.3.1), then <see cref="Tridiagonal"/>. Not libtorch's: the order in which its sums are taken depends on the number of threads.
/// </remarks>
internal static class SymmetricEigenvalues
{
    /// <summary>The eigenvalues, in ascending order.</summary>
    /// <param name="matrix">[n, n], symmetric to the last bit, finite; it is left as it is.</param>
    /// <param name="n">Its size.</param>
    public static double[] Of(ReadOnlySpan<double> matrix, int n)
    {
        var scale = Largest(matrix);
        if (scale == 0)
        {
            return new double[n];
        }

        var work = new double[matrix.Length];
        for (var i = 0; i < work.Length; i++)
        {
            work[i] = matrix[i] / scale;
        }

        var (diagonal, beside) = (new double[n], new double[n]);
        Reduce(work, diagonal, beside);
        Tridiagonal.Solve(diagonal, beside);
        for (var i = 0; i < n; i++)
        {
            diagonal[i] *= scale;
        }

        Array.Sort(diagonal);
        return diagonal;
    }

    /// <summary>The largest absolute value.</summary>
    internal static double Largest(ReadOnlySpan<double> values)
    {
        var largest = 0.0;
        foreach (var value in values)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        return largest;
    }

    private static void Reduce(double[] work, double[] diagonal, double[] beside)
    {
        var n = diagonal.Length;
        var product = new double[n];
        for (var k = 0; k < n; k++)
        {
            diagonal[k] = work[(k * n) + k];
            if (k == n - 1)
            {
                return;
            }

            var v = work.AsSpan((k * n) + k + 1, n - k - 1); // the row beside the diagonal, which is the column too
            (beside[k], var scale) = Rows.Reflect(v);
            if (scale != 0)
            {
                Apply(work, n, k + 1, v, scale, product.AsSpan(0, v.Length));
            }
        }
    }

    /// <summary>The reflection on both sides of what is left: A − v·wᵀ − w·vᵀ.</summary>
    private static void Apply(double[] work, int n, int from, ReadOnlySpan<double> v, double scale, Span<double> w)
    {
        w.Clear();
        for (var i = 0; i < v.Length; i++)
        {
            Rows.AddScaled(scale * v[i], Row(work, n, from, i), w);
        }

        Rows.AddScaled(-scale / 2 * Rows.Dot(w, v), v, w);
        for (var i = 0; i < v.Length; i++)
        {
            Rows.AddScaled(-v[i], w, Row(work, n, from, i));
            Rows.AddScaled(-w[i], v, Row(work, n, from, i));
        }
    }

    private static Span<double> Row(double[] work, int n, int from, int i) => work.AsSpan(((from + i) * n) + from, n - from);
}
