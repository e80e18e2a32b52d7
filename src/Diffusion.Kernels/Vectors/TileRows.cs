using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Kernels;

/// <summary>Rows of any number of values, 16 at a time; what is left is read and written under a mask. Values are floats or, as <see cref="ushort"/>, bfloat16.</summary>
internal static unsafe class TileRows
{
    private const int Vector = 16;

    /// <summary>to[i, c] = factor · from[i, c].</summary>
    /// <param name="from">[count, width].</param>
    /// <param name="fromStep">The values from a row to the next.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="width">The values of a row.</param>
    /// <param name="factor">What everything is multiplied by.</param>
    /// <param name="to">[count, filled]; written, with zeros after the width.</param>
    /// <param name="toStep">The values from a row to the next.</param>
    /// <param name="filled">At least the width.</param>
    [MethodImpl(Loop.Alone)]
    public static void Copy<TFrom, TTo>(TFrom* from, long fromStep, int count, int width, float factor, TTo* to, long toStep, int filled)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        var scale = Vector512.Create(factor);
        for (var c = 0; c < filled; c += Vector)
        {
            var (read, written) = (TileValues.First(width - c), TileValues.First(filled - c));
            var (source, place) = ((nint)(from + c), (nint)(to + c));
            for (var i = 0; i < count; i++, source += (nint)(fromStep * sizeof(TFrom)), place += (nint)(toStep * sizeof(TTo)))
            {
                TileValues.Store(written, TileValues.Load(read, (TFrom*)source) * scale, (TTo*)place);
            }
        }
    }

    /// <summary>rows[i, c] *= factors[i].</summary>
    /// <param name="rows">[count, width].</param>
    /// <param name="count">How many rows.</param>
    /// <param name="width">The values of a row.</param>
    /// <param name="factors">[count].</param>
    [MethodImpl(Loop.Alone)]
    public static void Scale<T>(T* rows, int count, int width, float* factors)
        where T : unmanaged
    {
        for (var i = 0; i < count; i++, rows += width)
        {
            var factor = Vector512.Create(factors[i]);
            for (var c = 0; c < width; c += Vector)
            {
                var mask = TileValues.First(width - c);
                TileValues.Store(mask, TileValues.Load(mask, rows + c) * factor, rows + c);
            }
        }
    }

    /// <summary>products[i] = Σ_c one[i, c] · other[i, c].</summary>
    /// <param name="one">[count, width].</param>
    /// <param name="oneStep">The values from a row to the next.</param>
    /// <param name="other">[count, width].</param>
    /// <param name="otherStep">The values from a row to the next.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="width">The values of a row.</param>
    /// <param name="products">[count]; written.</param>
    [MethodImpl(Loop.Alone)]
    public static void Multiply<T>(T* one, long oneStep, T* other, long otherStep, int count, int width, float* products)
        where T : unmanaged
    {
        for (var i = 0; i < count; i++, one += oneStep, other += otherStep)
        {
            var sum = Vector512<float>.Zero;
            for (var c = 0; c < width; c += Vector)
            {
                var read = TileValues.First(width - c);
                sum += TileValues.Load(read, one + c) * TileValues.Load(read, other + c);
            }

            products[i] = Vector512.Sum(sum);
        }
    }
}
