using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Models;

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
            var (read, written) = (First(width - c), First(filled - c));
            var (source, place) = ((nint)(from + c), (nint)(to + c));
            for (var i = 0; i < count; i++, source += (nint)(fromStep * sizeof(TFrom)), place += (nint)(toStep * sizeof(TTo)))
            {
                Store(written, Load(read, (TFrom*)source) * scale, (TTo*)place);
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
                var read = First(width - c);
                sum += Load(read, one + c) * Load(read, other + c);
            }

            products[i] = Vector512.Sum(sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> First(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load<T>(Vector512<int> mask, T* place)
        where T : unmanaged => sizeof(T) == sizeof(float)
        ? Avx512F.MaskLoad((float*)place, mask.AsSingle(), Vector512<float>.Zero)
        : (Avx512F.ConvertToVector512UInt32(Avx512BW.VL.MaskLoad((ushort*)place, Avx512F.ConvertToVector256UInt16(mask), Vector256<ushort>.Zero)) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(Vector512<int> mask, Vector512<float> values, T* place)
        where T : unmanaged
    {
        if (sizeof(T) == sizeof(float))
        {
            Avx512F.MaskStore((float*)place, mask.AsSingle(), values);
        }
        else
        {
            Avx512BW.VL.MaskStore((ushort*)place, Avx512F.ConvertToVector256UInt16(mask), AttentionTile.Narrowed(values));
        }
    }
}
