using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>2^x of a vector.</summary>
/// <typeparam name="T">What the result is rounded to afterwards.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
internal static class BinaryPower<T, TVector>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    /// <summary>2^x with a relative error below 1e-7, or 7.6e-5 for bfloat16; below −126 it is 2^−126, from 128 on infinite. NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Of(TVector x)
    {
        x = TVector.Exponent(x);
        var rest = TVector.Fraction(x);

        // The polynomials of degree 3 and 6 with the least relative error on [0, 1], by Remez' exchange.
        TVector power;
        if (T.PerWord > 1)
        {
            power = TVector.FusedMultiplyAdd(TVector.Create(7.8024523e-2f), rest, TVector.Create(0.22606716f));
            power = TVector.FusedMultiplyAdd(power, rest, TVector.Create(0.69583354f));
            power = TVector.FusedMultiplyAdd(power, rest, TVector.Create(0.99992522f));
        }
        else
        {
            power = TVector.FusedMultiplyAdd(TVector.Create(2.1702255e-4f), rest, TVector.Create(1.2439688e-3f));
            power = TVector.FusedMultiplyAdd(power, rest, TVector.Create(9.678841e-3f));
            power = TVector.FusedMultiplyAdd(power, rest, TVector.Create(5.548334e-2f));
            power = TVector.FusedMultiplyAdd(power, rest, TVector.Create(0.24022984f));
            power = TVector.FusedMultiplyAdd(power, rest, TVector.Create(0.693147f));
            power = TVector.FusedMultiplyAdd(power, rest, TVector.Create(1));
        }

        return TVector.Scale(power, x); // times 2^⌊x⌋
    }
}
