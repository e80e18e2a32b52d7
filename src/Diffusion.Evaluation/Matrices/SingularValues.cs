namespace Diffusion.Evaluation;

/// <summary>Singular values of matrices, in float64.</summary>
/// <remarks>
/// Golub and Kahan, Calculating the Singular Values and Pseudo-Inverse of a Matrix, SIAM J. Numer. Anal. 2 (1965): the bidiagonal form, whose singular values are the eigenvalues at least 0 of the tridiagonal matrix
/// with a diagonal of 0 and its numbers beside it. So small singular values keep what the roots of eigenvalues of a product of matrices lose.
/// </remarks>
internal static class SingularValues
{
    /// <summary>Their sum: the nuclear norm.</summary>
    /// <param name="matrix">[rows, columns], finite; overwritten.</param>
    /// <param name="rows">At least as many as columns.</param>
    /// <param name="columns">The number of columns.</param>
    public static double Sum(double[] matrix, int rows, int columns)
    {
        var scale = SymmetricEigenvalues.Largest(matrix);
        if (scale == 0)
        {
            return 0;
        }

        for (var i = 0; i < matrix.Length; i++)
        {
            matrix[i] /= scale;
        }

        var beside = new double[2 * columns]; // the diagonal and what is beside it, in turn
        Reduce(matrix, rows, columns, beside);
        var values = new double[2 * columns];
        Tridiagonal.Solve(values, beside);
        Array.Sort(values);
        var sum = 0.0;
        for (var i = columns; i < values.Length; i++)
        {
            sum += Math.Abs(values[i]); // each is there with both signs
        }

        return sum * scale;
    }

    private static void Reduce(double[] matrix, int rows, int columns, double[] beside)
    {
        var (column, product) = (new double[rows], new double[columns]);
        for (var k = 0; k < columns; k++)
        {
            var v = column.AsSpan(0, rows - k);
            for (var i = 0; i < v.Length; i++)
            {
                v[i] = matrix[((k + i) * columns) + k];
            }

            (beside[2 * k], var scale) = Rows.Reflect(v);
            var width = columns - k - 1;
            if (width == 0)
            {
                continue;
            }

            if (scale != 0)
            {
                FromTheLeft(matrix, columns, k, v, scale, product.AsSpan(0, width));
            }

            var u = matrix.AsSpan((k * columns) + k + 1, width);
            (beside[(2 * k) + 1], scale) = Rows.Reflect(u);
            for (var i = k + 1; i < rows && scale != 0; i++)
            {
                var row = matrix.AsSpan((i * columns) + k + 1, width);
                Rows.AddScaled(-scale * Rows.Dot(row, u), u, row);
            }
        }
    }

    private static void FromTheLeft(double[] matrix, int columns, int k, ReadOnlySpan<double> v, double scale, Span<double> product)
    {
        product.Clear();
        for (var i = 0; i < v.Length; i++)
        {
            Rows.AddScaled(scale * v[i], matrix.AsSpan(((k + i) * columns) + k + 1, product.Length), product);
        }

        for (var i = 0; i < v.Length; i++)
        {
            Rows.AddScaled(-v[i], product, matrix.AsSpan(((k + i) * columns) + k + 1, product.Length));
        }
    }
}
