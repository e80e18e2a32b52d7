using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Evaluation;

/// <summary>All pairs of a few rows and a few columns. The sum of a pair runs over the features in their order, whatever other pairs are computed beside it.</summary>
internal static class PairTile
{
    /// <summary>The rows of a tile.</summary>
    public const int Rows = 4;

    /// <summary>The columns of a tile: two vectors.</summary>
    public const int Columns = 16;

    /// <summary>Computes a tile.</summary>
    /// <typeparam name="TPairing">What of each pair.</typeparam>
    /// <param name="rows">[<see cref="Rows"/>, D].</param>
    /// <param name="panel">[D, <see cref="Columns"/>].</param>
    /// <param name="values">The results, the rows <paramref name="stride"/> apart.</param>
    /// <param name="stride">At least <see cref="Columns"/>.</param>
    public static void Compute<TPairing>(ReadOnlySpan<double> rows, ReadOnlySpan<double> panel, Span<double> values, int stride)
        where TPairing : struct, IPairing
    {
        var size = panel.Length / Columns;
        var row0 = rows[..size];
        var row1 = rows.Slice(size, size);
        var row2 = rows.Slice(2 * size, size);
        var row3 = rows.Slice(3 * size, size);
        Vector512<double> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        ref var columns = ref MemoryMarshal.GetReference(panel);
        for (var d = 0; d < size; d++)
        {
            var left = Vector512.LoadUnsafe(ref columns, (nuint)d * Columns);
            var right = Vector512.LoadUnsafe(ref columns, ((nuint)d * Columns) + 8);
            var (value0, value1) = (Vector512.Create(row0[d]), Vector512.Create(row1[d]));
            (a0, b0) = (TPairing.Add(value0, left, a0), TPairing.Add(value0, right, b0));
            (a1, b1) = (TPairing.Add(value1, left, a1), TPairing.Add(value1, right, b1));
            var (value2, value3) = (Vector512.Create(row2[d]), Vector512.Create(row3[d]));
            (a2, b2) = (TPairing.Add(value2, left, a2), TPairing.Add(value2, right, b2));
            (a3, b3) = (TPairing.Add(value3, left, a3), TPairing.Add(value3, right, b3));
        }

        Store(a0, b0, values);
        Store(a1, b1, values[stride..]);
        Store(a2, b2, values[(2 * stride)..]);
        Store(a3, b3, values[(3 * stride)..]);
    }

    private static void Store(Vector512<double> left, Vector512<double> right, Span<double> values)
    {
        left.CopyTo(values);
        right.CopyTo(values[8..]);
    }
}
