namespace Diffusion;

/// <summary>The assignment of rows to columns whose costs have the smallest sum.</summary>
/// <remarks>Kuhn: The Hungarian Method, 1955, with shortest augmenting paths (Jonker and Volgenant, 1987): n³ operations.</remarks>
internal static class LinearAssignment
{
    /// <summary>The column of each row.</summary>
    /// <param name="costs">[n, n] row by row, finite.</param>
    /// <param name="n">The number of rows.</param>
    public static int[] Solve(ReadOnlySpan<double> costs, int n)
    {
        var (rowPrices, columnPrices) = (new double[n], new double[n]);
        var rowOf = new int[n]; // of each column, −1 where it is free
        Array.Fill(rowOf, -1);
        var (distances, origins, settled) = (new double[n], new int[n], new bool[n]);
        for (var start = 0; start < n; start++)
        {
            Array.Fill(distances, double.PositiveInfinity);
            Array.Clear(settled);
            var (row, column, length) = (start, -1, 0.0);
            do
            {
                // The shortest path from the new row: every edge is a reduced cost, which is never negative.
                var next = -1;
                for (var j = 0; j < n; j++)
                {
                    if (settled[j])
                    {
                        continue;
                    }

                    var through = length + costs[(row * n) + j] - rowPrices[row] - columnPrices[j];
                    if (through < distances[j])
                    {
                        (distances[j], origins[j]) = (through, row);
                    }

                    next = next < 0 || distances[j] < distances[next] ? j : next;
                }

                (column, length) = (next, distances[next]);
                settled[column] = true;
                row = rowOf[column];
            }
            while (row >= 0);

            for (var j = 0; j < n; j++)
            {
                if (settled[j] && j != column)
                {
                    rowPrices[rowOf[j]] += length - distances[j];
                    columnPrices[j] -= length - distances[j];
                }
            }

            rowPrices[start] += length;
            Flip(start, column, origins, rowOf);
        }

        var columns = new int[n];
        for (var j = 0; j < n; j++)
        {
            columns[rowOf[j]] = j;
        }

        return columns;
    }

    /// <summary>Gives the free column at the end of the path to the row before it, that row's column to the one before, back to the start.</summary>
    private static void Flip(int start, int column, int[] origins, int[] rowOf)
    {
        while (true)
        {
            var row = origins[column];
            var before = Array.IndexOf(rowOf, row);
            rowOf[column] = row;
            if (row == start)
            {
                return;
            }

            column = before;
        }
    }
}
