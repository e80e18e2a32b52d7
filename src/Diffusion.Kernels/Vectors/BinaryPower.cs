using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>2^x of 16 numbers.</summary>
/// <typeparam name="T">What the result is rounded to afterwards.</typeparam>
internal static class BinaryPower<T>
    where T : ITileFormat
{
    /// <summary>2^x with a relative error below 1e-7, or 7.6e-5 for bfloat16; below −126 it is 2^−126, from 128 on infinite. NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Of(Vector512<float> x)
    {
        x = Vector512.MaxNative(Vector512.Create(-126f), x); // the second operand is what comes out where one is NaN
        var rest = Avx512DQ.Reduce(x, 0b1001); // x − ⌊x⌋

        // The polynomials of degree 3 and 6 with the least relative error on [0, 1], by Remez' exchange.
        Vector512<float> power;
        if (T.PerWord > 1)
        {
            power = Vector512.FusedMultiplyAdd(Vector512.Create(7.8024523e-2f), rest, Vector512.Create(0.22606716f));
            power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.69583354f));
            power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.99992522f));
        }
        else
        {
            power = Vector512.FusedMultiplyAdd(Vector512.Create(2.1702255e-4f), rest, Vector512.Create(1.2439688e-3f));
            power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(9.678841e-3f));
            power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(5.548334e-2f));
            power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.24022984f));
            power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.693147f));
            power = Vector512.FusedMultiplyAdd(power, rest, Vector512<float>.One);
        }

        return Avx512F.Scale(power, x); // times 2^⌊x⌋
    }
}
