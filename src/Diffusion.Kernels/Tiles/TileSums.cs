using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>Sums that make gradients of weights and biases, in float32 and wider; the same for any number of threads. Values are floats or, as <see cref="ushort"/>, bfloat16.</summary>
/// <typeparam name="TVector">The vectors that are added.</typeparam>
internal static unsafe class TileSums<TVector>
    where TVector : unmanaged, IVector<TVector>
{
    private const int Pieces = 8;

    /// <summary>The sum of several matrices of the same size.</summary>
    /// <param name="parts">The first.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="step">The values from one to the next.</param>
    /// <param name="size">The values of each, a multiple of 16.</param>
    /// <param name="sums">[size]; written.</param>
    public static void OfParts(float* parts, int count, long step, int size, float* sums)
    {
        const int stretch = 4096;
        TileWork.Run((size + stretch - 1) / stretch, 0, (piece, _) =>
        {
            for (var i = piece * stretch; i < Math.Min(size, (piece + 1) * stretch); i += TVector.Count)
            {
                var sum = default(TVector);
                for (var part = 0; part < count; part++)
                {
                    sum += TVector.Load(parts + (part * step) + i);
                }

                TVector.Store(sum, sums + i);
            }
        });
    }

    /// <summary>The sum of each column of rows.</summary>
    /// <param name="rows">[count, columns].</param>
    /// <param name="count">How many rows.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="sums">[columns]; written.</param>
    public static void OfColumns<T>(T* rows, long count, int columns, float* sums)
        where T : unmanaged
    {
        using var memory = TileScratch.Rent(Pieces * columns);
        var parts = memory.Take(Pieces * columns);
        TileWork.Run(Pieces, 0, (piece, _) => Add(rows, count * piece / Pieces, count * (piece + 1) / Pieces, columns, parts + (piece * columns)));
        for (var column = 0; column < columns; column++)
        {
            var sum = 0.0;
            for (var piece = 0; piece < Pieces; piece++)
            {
                sum += parts[(piece * columns) + column];
            }

            sums[column] = (float)sum;
        }
    }

    /// <summary>Adds all rows to the sums.</summary>
    /// <param name="rows">[count, columns].</param>
    /// <param name="count">How many rows.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="sums">[columns].</param>
    public static void AddRows<T>(T* rows, long count, int columns, float* sums)
        where T : unmanaged => Add(rows, 0, count, columns, sums, continues: true);

    /// <summary>The sum of values, added up in float64: before a norm the gradients of a channel nearly cancel, and float32 would leave its rounding.</summary>
    [MethodImpl(Loop.Alone)]
    public static double Of<T>(T* values, int count)
        where T : unmanaged
    {
        var (one, other, i) = (default(DoubleSum<TVector>), default(DoubleSum<TVector>), 0);
        for (; i + (2 * TVector.Count) <= count; i += 2 * TVector.Count)
        {
            one.Add(TileValues<TVector>.Load(values + i));
            other.Add(TileValues<TVector>.Load(values + i + TVector.Count));
        }

        var rest = 0.0;
        for (; i < count; i++)
        {
            rest += TileValues<TVector>.One(values + i);
        }

        return one.Value + other.Value + rest;
    }

    [MethodImpl(Loop.Alone)]
    private static void Add<T>(T* rows, long first, long end, int columns, float* sums, bool continues = false)
        where T : unmanaged
    {
        for (var column = 0; column < columns; column += TVector.Count)
        {
            var (one, other) = (default(TVector), default(TVector));
            var row = first;
            for (; row + 1 < end; row += 2)
            {
                one += TileValues<TVector>.Load(rows + (row * columns) + column);
                other += TileValues<TVector>.Load(rows + ((row + 1) * columns) + column);
            }

            var sum = row < end ? one + other + TileValues<TVector>.Load(rows + (row * columns) + column) : one + other;
            TVector.Store(continues ? TVector.Load(sums + column) + sum : sum, sums + column);
        }
    }
}
