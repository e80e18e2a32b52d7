using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>Vectors of 16 values in memory: floats or, as <see cref="ushort"/>, bfloat16, whose ties go up.</summary>
internal static unsafe class TileValues
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load<T>(T* place)
        where T : unmanaged => sizeof(T) == sizeof(float)
        ? Vector512.Load((float*)place)
        : (Avx512F.ConvertToVector512UInt32(Vector256.Load((ushort*)place)) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector512<float> values, T* place)
        where T : unmanaged
    {
        if (sizeof(T) == sizeof(float))
        {
            Vector512.Store(values, (float*)place);
        }
        else
        {
            Vector256.Store(BFloat16Values.Narrowed(values), (ushort*)place);
        }
    }

    /// <summary>A single value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float One<T>(T* place)
        where T : unmanaged => sizeof(T) == sizeof(float) ? *(float*)place : BitConverter.UInt32BitsToSingle((uint)*(ushort*)place << 16);

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

    /// <summary>The mask of the first values of a vector: none, some or all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> First(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count));

    /// <summary>The values under a mask, and zeros; nothing else is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load<T>(Vector512<int> mask, T* place)
        where T : unmanaged => sizeof(T) == sizeof(float)
        ? Avx512F.MaskLoad((float*)place, mask.AsSingle(), Vector512<float>.Zero)
        : (Avx512F.ConvertToVector512UInt32(Avx512BW.VL.MaskLoad((ushort*)place, Avx512F.ConvertToVector256UInt16(mask), Vector256<ushort>.Zero)) << 16).AsSingle();

    /// <summary>Writes the values under a mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector512<int> mask, Vector512<float> values, T* place)
        where T : unmanaged
    {
        if (sizeof(T) == sizeof(float))
        {
            Avx512F.MaskStore((float*)place, mask.AsSingle(), values);
        }
        else
        {
            Avx512BW.VL.MaskStore((ushort*)place, Avx512F.ConvertToVector256UInt16(mask), BFloat16Values.Narrowed(values));
        }
    }
}
