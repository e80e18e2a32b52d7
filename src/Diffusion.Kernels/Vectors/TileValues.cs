using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>Values in memory: floats or, as <see cref="ushort"/>, bfloat16, whose ties go up; bytes are read as numbers.</summary>
/// <typeparam name="TVector">Vectors that are read and written.</typeparam>
internal static unsafe class TileValues<TVector>
    where TVector : unmanaged, IVector<TVector>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<T>(T* place)
        where T : unmanaged => sizeof(T) == sizeof(float) ? TVector.Load((float*)place) : sizeof(T) == sizeof(ushort) ? TVector.Load((ushort*)place) : TVector.Load((byte*)place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(TVector values, T* place)
        where T : unmanaged
    {
        if (sizeof(T) == sizeof(float))
        {
            TVector.Store(values, (float*)place);
        }
        else
        {
            TVector.Store(values, (ushort*)place);
        }
    }

    /// <summary>The values under a mask, and zeros; nothing else is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<T>(TVector mask, T* place)
        where T : unmanaged => sizeof(T) == sizeof(float) ? TVector.Load(mask, (float*)place) : sizeof(T) == sizeof(ushort) ? TVector.Load(mask, (ushort*)place) : TVector.Load(mask, (byte*)place);

    /// <summary>Writes the values under a mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(TVector mask, TVector values, T* place)
        where T : unmanaged
    {
        if (sizeof(T) == sizeof(float))
        {
            TVector.Store(mask, values, (float*)place);
        }
        else
        {
            TVector.Store(mask, values, (ushort*)place);
        }
    }

    /// <summary>A single value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float One<T>(T* place)
        where T : unmanaged => sizeof(T) == sizeof(float) ? *(float*)place : sizeof(T) == sizeof(ushort) ? BitConverter.UInt32BitsToSingle((uint)*(ushort*)place << 16) : *(byte*)place;

    /// <summary>Writes a single value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreOne<T>(float value, T* place)
        where T : unmanaged
    {
        if (sizeof(T) == sizeof(float))
        {
            *(float*)place = value;
        }
        else
        {
            *(ushort*)place = (ushort)((BitConverter.SingleToUInt32Bits(value) + 0x8000u) >> 16);
        }
    }

    /// <summary>Writes words: of one value, or of two in bfloat16, the first in the lower half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreWord<T>(TVector one, TVector other, uint* place)
        where T : ITileFormat
    {
        if (T.PerWord == 1)
        {
            TVector.Store(one, (float*)place);
        }
        else
        {
            TVector.StorePairs(one, other, place);
        }
    }
}
