using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>Rounds float32 to bfloat16; ties go up.</summary>
internal static class BFloat16Values
{
    /// <summary>Words of two values each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Pair(Vector512<float> low, Vector512<float> high) =>
        Vector512.ConditionalSelect(Vector512.Create(0xFFFF0000u), high.AsUInt32() + Vector512.Create(0x8000u), (low.AsUInt32() + Vector512.Create(0x8000u)) >>> 16);

    /// <summary>Words of two values each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Pair(Vector256<float> low, Vector256<float> high) =>
        Vector256.ConditionalSelect(Vector256.Create(0xFFFF0000u), high.AsUInt32() + Vector256.Create(0x8000u), (low.AsUInt32() + Vector256.Create(0x8000u)) >>> 16);

    /// <summary>Values in bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrowed(Vector512<float> values) => Avx512F.ConvertToVector256UInt16((values.AsUInt32() + Vector512.Create(0x8000u)) >>> 16);

    /// <summary>Values in bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ushort> Narrowed(Vector256<float> values)
    {
        var words = ((values.AsUInt32() + Vector256.Create(0x8000u)) >>> 16).AsInt32();
        return Sse41.PackUnsignedSaturate(words.GetLower(), words.GetUpper());
    }
}
