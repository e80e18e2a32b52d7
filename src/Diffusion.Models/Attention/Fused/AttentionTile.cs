using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Models;

/// <summary>The size of tiles, and values that are rounded to bfloat16.</summary>
internal static unsafe class AttentionTile
{
    /// <summary>The rows of a tile.</summary>
    public const int Rows = 32;

    /// <summary>The most columns of a tile: its scores, [64, 32], fill a quarter of a first-level cache or less.</summary>
    public const int Columns = 64;

    /// <summary>Whether the processor has what tiles need.</summary>
    public static bool IsSupported => Avx512DQ.IsSupported && Avx512BW.VL.IsSupported;

    /// <summary>The width that a head is filled up to with zeros: 4, 8, or a multiple of 16.</summary>
    public static int Padded(int width) => width <= 4 ? 4 : width <= 8 ? 8 : (width + 15) / 16 * 16;

    /// <summary>Words of two values each; ties of the rounding go up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Pair(Vector512<float> low, Vector512<float> high) =>
        Vector512.ConditionalSelect(Vector512.Create(0xFFFF0000u), high.AsUInt32() + Vector512.Create(0x8000u), (low.AsUInt32() + Vector512.Create(0x8000u)) >>> 16);

    /// <summary>Values in bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrowed(Vector512<float> values) => Avx512F.ConvertToVector256UInt16((values.AsUInt32() + Vector512.Create(0x8000u)) >>> 16);

    /// <summary>Scales down the total and the sums of 16 rows.</summary>
    /// <param name="factor">Of each row.</param>
    /// <param name="total">[16].</param>
    /// <param name="sums">[features, 32].</param>
    /// <param name="features">Any number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Shrink(Vector512<float> factor, float* total, float* sums, int features)
    {
        Vector512.Store(Vector512.Load(total) * factor, total);
        for (var c = 0; c < features; c++, sums += Rows)
        {
            Vector512.Store(Vector512.Load(sums) * factor, sums);
        }
    }
}
