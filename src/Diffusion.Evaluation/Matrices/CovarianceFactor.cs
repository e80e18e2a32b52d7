namespace Diffusion.Evaluation;

/// <summary>A matrix with as many rows as a covariance has rank, whose products of columns are the covariance: Σ = RᵀR.</summary>
/// <remarks>
/// Cholesky's factor with complete pivoting, which ends where what is left is rounding (Higham, Analysis of the Cholesky Decomposition of a Semi-definite Matrix, 1990): n·2⁻⁵²·(largest variance), as in LAPACK's dpstrf.
/// </remarks>
internal sealed class CovarianceFactor
{
    private const double Rounding = 1.0 / (1L << 52);

    // What statistics of float32 have below 0 by rounding is far smaller.
    private const double MaxNegative = 1e-3;

    private readonly double[] _rows;
    private readonly int _features;
    private readonly int _count;

    private CovarianceFactor(double[] rows, int features, int count, int rank) => (_rows, _features, _count, Rank) = (rows, features, count, rank);

    /// <summary>The rank of the covariance, to the rounding of the numbers that it was given in: at most as many as there are rows, of which the last may be of nothing but rounding.</summary>
    public int Rank { get; }

    /// <summary>Factors a covariance.</summary>
    /// <param name="covariance">[n, n], symmetric, finite.</param>
    /// <param name="n">Its size.</param>
    /// <param name="rounding">The distance from 1 to the next number of the type that it was given in; that of float64 by default.</param>
    /// <returns>The factor; <see langword="null"/> where the matrix has variances below 0 in some direction, by far more than rounding.</returns>
    public static CovarianceFactor? Of(ReadOnlySpan<double> covariance, int n, double rounding = Rounding)
    {
        var left = new double[n];
        for (var i = 0; i < n; i++)
        {
            left[i] = covariance[(i * n) + i];
        }

        var largest = SymmetricEigenvalues.Largest(left);
        var rows = new double[n * n];
        var (count, rank) = (0, (int?)null);
        var used = new bool[n];
        for (; count < n; count++)
        {
            var pivot = Pivot(left, used);
            if (left[pivot] <= n * Rounding * largest)
            {
                break;
            }

            rank ??= left[pivot] <= n * rounding * largest ? count : null;
            used[pivot] = true;
            Row(covariance, rows, count, pivot, Math.Sqrt(left[pivot]), used, left);
        }

        for (var i = 0; i < n; i++)
        {
            if (!used[i] && left[i] < -MaxNegative * largest)
            {
                return null;
            }
        }

        return new(rows, n, count, rank ?? count);
    }

    /// <summary>The trace of the root of the product of two covariances, tr((Σ₁Σ₂)^½): the sum of the singular values of R₁R₂ᵀ.</summary>
    /// <param name="other">The factor of a covariance of as many features.</param>
    public double TraceOfRoot(CovarianceFactor other)
    {
        var (tall, wide) = _count >= other._count ? (this, other) : (other, this);
        var product = new double[tall._count * wide._count];
        ParallelParts.Run(TorchSharp.torch.get_num_threads(), tall._count, i =>
        {
            var row = tall._rows.AsSpan(i * _features, _features);
            for (var j = 0; j < wide._count; j++)
            {
                product[(i * wide._count) + j] = Rows.Dot(row, wide._rows.AsSpan(j * _features, _features));
            }
        });
        return SingularValues.Sum(product, tall._count, wide._count);
    }

    private static int Pivot(double[] left, bool[] used)
    {
        var pivot = -1;
        for (var i = 0; i < left.Length; i++)
        {
            pivot = !used[i] && (pivot < 0 || left[i] > left[pivot]) ? i : pivot;
        }

        return pivot;
    }

    private static void Row(ReadOnlySpan<double> covariance, double[] rows, int rank, int pivot, double root, bool[] used, double[] left)
    {
        var n = left.Length;
        var row = rows.AsSpan(rank * n, n);
        covariance.Slice(pivot * n, n).CopyTo(row);
        for (var before = 0; before < rank; before++)
        {
            var other = rows.AsSpan(before * n, n);
            Rows.AddScaled(-other[pivot], other, row);
        }

        for (var i = 0; i < n; i++)
        {
            row[i] = used[i] ? 0 : row[i] / root;
            left[i] -= row[i] * row[i];
        }

        row[pivot] = root;
    }
}
