using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>Rows of any number of values, a vector at a time; what is left is read and written under a mask. Values are floats or, as <see cref="ushort"/>, bfloat16.</summary>
/// <typeparam name="TVector">The vector.</typeparam>
internal static unsafe class TileRows<TVector>
    where TVector : unmanaged, IVector<TVector>
{
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
        var scale = TVector.Create(factor);
        for (var c = 0; c < filled; c += TVector.Count)
        {
            var (read, written) = (TVector.First(width - c), TVector.First(filled - c));
            var (source, place) = ((nint)(from + c), (nint)(to + c));
            for (var i = 0; i < count; i++, source += (nint)(fromStep * sizeof(TFrom)), place += (nint)(toStep * sizeof(TTo)))
            {
                TileValues<TVector>.Store(written, TileValues<TVector>.Load(read, (TFrom*)source) * scale, (TTo*)place);
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
            var factor = TVector.Create(factors[i]);
            for (var c = 0; c < width; c += TVector.Count)
            {
                var mask = TVector.First(width - c);
                TileValues<TVector>.Store(mask, TileValues<TVector>.Load(mask, rows + c) * factor, rows + c);
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
            var sum = default(TVector);
            for (var c = 0; c < width; c += TVector.Count)
            {
                var read = TVector.First(width - c);
                sum += TileValues<TVector>.Load(read, one + c) * TileValues<TVector>.Load(read, other + c);
            }

            products[i] = TVector.Sum(sum);
        }
    }
}
