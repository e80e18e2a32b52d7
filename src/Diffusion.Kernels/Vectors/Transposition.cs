using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>Turns rows into columns, 16 by 16 in registers. Values are floats or, as <see cref="ushort"/>, bfloat16.</summary>
internal static unsafe class Transposition
{
    private const int Side = 16;

    /// <summary>to[j, i] = from[i, j].</summary>
    /// <param name="from">[rows, columns].</param>
    /// <param name="fromStep">The values from a row to the next.</param>
    /// <param name="rows">Any number.</param>
    /// <param name="columns">Any number.</param>
    /// <param name="to">[columns, rows]; written.</param>
    /// <param name="toStep">The values from a column to the next.</param>
    public static void Copy<TFrom, TTo>(TFrom* from, long fromStep, int rows, int columns, TTo* to, long toStep)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        if (rows < Side || columns < Side)
        {
            Singly(from, fromStep, rows, columns, to, toStep);
            return;
        }

        for (var j = 0; j < columns; j += Side)
        {
            var column = Math.Min(j, columns - Side); // the last square overlaps the one before
            for (var i = 0; i < rows; i += Side)
            {
                var row = Math.Min(i, rows - Side);
                Square(from + (row * fromStep) + column, fromStep, to + (column * toStep) + row, toStep);
            }
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Singly<TFrom, TTo>(TFrom* from, long fromStep, int rows, int columns, TTo* to, long toStep)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        for (var j = 0; j < columns; j++)
        {
            for (var i = 0; i < rows; i++)
            {
                TileValues.StoreOne(TileValues.One(from + (i * fromStep) + j), to + (j * toStep) + i);
            }
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Square<TFrom, TTo>(TFrom* from, long fromStep, TTo* to, long toStep)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        Vector512<float> Row(int i) => TileValues.Load(from + (i * fromStep));
        var (a0, a1, a2, a3) = Fours(Row(0), Row(1), Row(2), Row(3));
        var (b0, b1, b2, b3) = Fours(Row(4), Row(5), Row(6), Row(7));
        var (c0, c1, c2, c3) = Fours(Row(8), Row(9), Row(10), Row(11));
        var (d0, d1, d2, d3) = Fours(Row(12), Row(13), Row(14), Row(15));
        Columns(a0, b0, c0, d0, to, 4 * toStep);
        Columns(a1, b1, c1, d1, to + toStep, 4 * toStep);
        Columns(a2, b2, c2, d2, to + (2 * toStep), 4 * toStep);
        Columns(a3, b3, c3, d3, to + (3 * toStep), 4 * toStep);
    }

    /// <summary>Four rows → of each quarter q four columns: the first result has columns 0, 4, 8 and 12, four values of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> First, Vector512<float> Second, Vector512<float> Third, Vector512<float> Fourth) Fours(
        Vector512<float> row0, Vector512<float> row1, Vector512<float> row2, Vector512<float> row3)
    {
        var (low01, high01) = (Avx512F.UnpackLow(row0, row1).AsDouble(), Avx512F.UnpackHigh(row0, row1).AsDouble());
        var (low23, high23) = (Avx512F.UnpackLow(row2, row3).AsDouble(), Avx512F.UnpackHigh(row2, row3).AsDouble());
        return (
            Avx512F.UnpackLow(low01, low23).AsSingle(),
            Avx512F.UnpackHigh(low01, low23).AsSingle(),
            Avx512F.UnpackLow(high01, high23).AsSingle(),
            Avx512F.UnpackHigh(high01, high23).AsSingle());
    }

    /// <summary>Writes four columns, of which each vector has four values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Columns<TTo>(Vector512<float> rows0, Vector512<float> rows4, Vector512<float> rows8, Vector512<float> rows12, TTo* to, long step)
        where TTo : unmanaged
    {
        var (even, odd) = (Avx512F.Shuffle4x128(rows0, rows4, 0b10_00_10_00), Avx512F.Shuffle4x128(rows0, rows4, 0b11_01_11_01)); // quarters 0, 2 | 0, 2
        var (evenAfter, oddAfter) = (Avx512F.Shuffle4x128(rows8, rows12, 0b10_00_10_00), Avx512F.Shuffle4x128(rows8, rows12, 0b11_01_11_01));
        TileValues.Store(Avx512F.Shuffle4x128(even, evenAfter, 0b10_00_10_00), to);
        TileValues.Store(Avx512F.Shuffle4x128(odd, oddAfter, 0b10_00_10_00), to + step);
        TileValues.Store(Avx512F.Shuffle4x128(even, evenAfter, 0b11_01_11_01), to + (2 * step));
        TileValues.Store(Avx512F.Shuffle4x128(odd, oddAfter, 0b11_01_11_01), to + (3 * step));
    }
}
