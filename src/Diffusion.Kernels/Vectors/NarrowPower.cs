using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>
/// 2^x in bfloat16, 32 at a time, by integers: x in steps of 1/256 is exponent and fraction of the result but for the difference of f and 2^f − 1, which comes from a table. The relative error is 2e-3 on
/// average (of the squares) and 6.6e-3 at most, where rounding alone makes 1.7e-3 and 3.9e-3; its mean is 0.
/// </summary>
internal static class NarrowPower
{
    private const float Steps = 256;
    private const float Ones = 12582912 + (127 * Steps); // 1.5 · 2^23: what is added to it is rounded to integers, which are the last bits; and the exponent of 1

    /// <summary>The nearest multiple of a step: what is subtracted from x has to be one.</summary>
    public static Vector512<float> Step(Vector512<float> value) => Avx512F.RoundScale(value, 8 << 4);

    /// <summary>The nearest multiple of a step.</summary>
    public static float Step(float value) => MathF.Round(value * Steps) / Steps;

    /// <summary>What <see cref="Fixed"/> multiplies by.</summary>
    public static Vector512<float> Factor(float factor) => Vector512.Create(factor * Steps);

    /// <summary>What <see cref="Fixed"/> adds.</summary>
    /// <param name="shift">What is subtracted from factor · score, of <see cref="Step(float)"/>.</param>
    public static Vector512<float> Start(Vector512<float> shift) => Vector512.Create(Ones) - (shift * Steps);

    /// <summary>What <see cref="Fixed"/> adds.</summary>
    public static float Start(float shift) => Ones - (shift * Steps);

    /// <summary>x = factor · score − shift, below 128, in steps; below −126 it is −126. What comes of NaN is any number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fixed(Vector512<float> score, Vector512<float> factor, Vector512<float> start) =>
        Vector512.MaxNative(Vector512.Create(Ones - (126 * Steps)), Vector512.FusedMultiplyAdd(score, factor, start));

    /// <summary>The powers as words of two.</summary>
    /// <param name="low">Of <see cref="Fixed"/>.</param>
    /// <param name="high">Of <see cref="Fixed"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(Vector512<float> low, Vector512<float> high)
    {
        var steps = Vector512.ConditionalSelect(Vector512.Create(0xFFFFu), low.AsUInt32(), high.AsUInt32() << 16).AsUInt16();

        // 256 · (f + 1 − 2^f) − 1/2 in the middle of four steps, rounded; the half rounds what the shift cuts off.
        var first = Vector512.Create((ushort)0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15, 15, 16, 17, 17, 18, 18, 19, 19, 20, 20, 20, 21, 21, 21, 21, 21);
        var second = Vector512.Create((ushort)21, 22, 22, 21, 21, 21, 21, 21, 21, 20, 20, 19, 19, 19, 18, 17, 17, 16, 15, 14, 14, 13, 12, 11, 10, 8, 7, 6, 5, 3, 2, 0);
        return ((steps - Avx512BW.PermuteVar32x16x2(first, steps >>> 2, second)) >>> 1).AsUInt32();
    }

    /// <summary>The lower values of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Low(Vector512<uint> words) => (words << 16).AsSingle();

    /// <summary>The upper values of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> High(Vector512<uint> words) => (words & Vector512.Create(0xFFFF0000u)).AsSingle();
}
