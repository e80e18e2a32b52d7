using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Kernels;

/// <summary>The sum of floats in float64.</summary>
/// <typeparam name="TVector">The vectors that are added.</typeparam>
internal struct DoubleSum<TVector>
    where TVector : unmanaged, IVector<TVector>
{
    private Vector512<double> _eight;
    private Vector256<double> _four;

    /// <summary>The sum of all lanes.</summary>
    public readonly double Value => TVector.Count == Vector512<float>.Count ? Vector512.Sum(_eight) : Vector256.Sum(_four);

    /// <summary>Adds all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(TVector values)
    {
        if (TVector.Count == Vector512<float>.Count)
        {
            var lanes = Unsafe.BitCast<TVector, Vector512<float>>(values);
            _eight += Vector512.WidenLower(lanes) + Vector512.WidenUpper(lanes);
        }
        else
        {
            var lanes = Unsafe.BitCast<TVector, Vector256<float>>(values);
            _four += Vector256.WidenLower(lanes) + Vector256.WidenUpper(lanes);
        }
    }
}
