namespace Diffusion.Evaluation;

/// <summary>The nearest images of a reference set, for each of some images, by squared distance. Of equally near ones the first.</summary>
internal sealed class NearestRows
{
    private readonly int _count;
    private readonly double[] _distances; // [N, count], rising in a row
    private readonly int[] _indices;

    private NearestRows(int rows, int count)
    {
        (_count, _distances, _indices) = (count, new double[rows * (long)count], new int[rows * (long)count]);
        Array.Fill(_distances, double.PositiveInfinity);
    }

    /// <summary>Finds the nearest.</summary>
    /// <param name="rows">For each of these.</param>
    /// <param name="reference">Among these; <see langword="null"/> for the other rows of the same set.</param>
    /// <param name="count">How many, no more than there are.</param>
    /// <param name="cancellationToken">Checked every few rows.</param>
    public static NearestRows Of(FeatureRows rows, FeatureRows? reference, int count, CancellationToken cancellationToken)
    {
        var nearest = new NearestRows(rows.Count, count);
        AllPairs.VisitDistances(rows, reference ?? rows, Visit, cancellationToken);
        return nearest;

        void Visit(int row, int first, Span<double> values)
        {
            if (reference is null && row >= first && row < first + values.Length)
            {
                values[row - first] = double.PositiveInfinity;
            }

            nearest.Take(row, first, values);
        }
    }

    /// <summary>The squared distances of a row, rising.</summary>
    public ReadOnlySpan<double> Squares(int row) => _distances.AsSpan(row * _count, _count);

    /// <summary>Which rows of the reference these are.</summary>
    public ReadOnlySpan<int> Indices(int row) => _indices.AsSpan(row * _count, _count);

    /// <summary>The squared distance of each row to the last of its nearest.</summary>
    public double[] Radii() => [.. Enumerable.Range(0, _distances.Length / _count).Select(row => Squares(row)[^1])];

    private void Take(int row, int first, ReadOnlySpan<double> values)
    {
        var distances = _distances.AsSpan(row * _count, _count);
        var indices = _indices.AsSpan(row * _count, _count);
        var limit = distances[^1];
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] < limit)
            {
                Insert(values[i], first + i, distances, indices);
                limit = distances[^1];
            }
        }
    }

    private static void Insert(double distance, int index, Span<double> distances, Span<int> indices)
    {
        var place = distances.Length - 1;
        for (; place > 0 && distances[place - 1] > distance; place--)
        {
            (distances[place], indices[place]) = (distances[place - 1], indices[place - 1]);
        }

        (distances[place], indices[place]) = (distance, index);
    }
}
