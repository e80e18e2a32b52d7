using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>Turns rows into columns, a square in registers at a time. Values are floats or, as <see cref="ushort"/>, bfloat16; bytes are read as numbers.</summary>
/// <typeparam name="TVector">The registers.</typeparam>
internal static unsafe class Transposition<TVector>
    where TVector : unmanaged, IVector<TVector>
{
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
        var side = TVector.Count;
        if (rows < side || columns < side)
        {
            Singly(from, fromStep, rows, columns, to, toStep);
            return;
        }

        for (var j = 0; j < columns; j += side)
        {
            var column = Math.Min(j, columns - side); // the last square overlaps the one before
            for (var i = 0; i < rows; i += side)
            {
                var row = Math.Min(i, rows - side);
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
                TileValues<TVector>.StoreOne(TileValues<TVector>.One(from + (i * fromStep) + j), to + (j * toStep) + i);
            }
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Square<TFrom, TTo>(TFrom* from, long fromStep, TTo* to, long toStep)
        where TFrom : unmanaged
        where TTo : unmanaged => TVector.Transpose(from, fromStep, to, toStep);
}
