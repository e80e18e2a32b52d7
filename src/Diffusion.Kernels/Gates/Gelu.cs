using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>GELU, x·Φ(x) with the distribution Φ of normal numbers, and its derivative.</summary>
/// <remarks>
/// Gaussian Error Linear Units, arXiv:1606.08415, Eq. 1. The tail of Φ is that of Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26, with an error of 7.5e-8 at most. Where |x| is above 20
/// the tail is that at 20, which is below 1e-37: there is no product of 0 and an infinite number.
/// </remarks>
/// <typeparam name="T">What the result is rounded to afterwards.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
internal static class Gelu<T, TVector>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const float Largest = 20;
    private const float Steep = 1e30f;
    private const float HalfBinaryE = 0.72134752f; // log₂(e) / 2
    private const float NormalPeak = 0.39894228f; // 1/√(2π)
    private const float Reach = 0.23164189f; // 0.3275911/√2

    /// <summary>x·Φ(x), and Φ(x) + x·φ(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TVector Value, TVector Slope) Of(TVector x)
    {
        var (zero, one) = (default(TVector), TVector.Create(1));
        var size = zero - TVector.Max(TVector.Create(-Largest), zero - TVector.Max(zero - x, x)); // the smaller of 20 and |x|
        var bell = BinaryPower<T, TVector>.Of(size * size * TVector.Create(-HalfBinaryE)); // e^(−x²/2)
        var near = one / TVector.FusedMultiplyAdd(size, TVector.Create(Reach), one);
        var tail = TVector.FusedMultiplyAdd(TVector.Create(0.5307027145f), near, TVector.Create(-0.7265760135f)); // halves of the numbers there: Φ(−|x|) is half of erfc(|x|/√2)
        tail = TVector.FusedMultiplyAdd(tail, near, TVector.Create(0.7107068705f));
        tail = TVector.FusedMultiplyAdd(tail, near, TVector.Create(-0.142248368f));
        tail = TVector.FusedMultiplyAdd(tail, near, TVector.Create(0.127414796f)) * near * bell;
        var sign = TVector.Max(TVector.Create(-1), zero - TVector.Max(TVector.Create(-1), zero - (x * TVector.Create(Steep))));
        var half = TVector.Create(0.5f);
        var slope = TVector.FusedMultiplyAdd(sign, half - tail, half) + (sign * size * bell * TVector.Create(NormalPeak));
        return (TVector.Max(zero, x) - (size * tail), slope);
    }
}
