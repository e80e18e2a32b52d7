using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>The size of the tiles of scores.</summary>
internal static unsafe class AttentionTile
{
    /// <summary>The rows of a tile.</summary>
    public const int Rows = 32;

    /// <summary>The most columns of a tile: its scores, [64, 32], fill a quarter of a first-level cache or less.</summary>
    public const int Columns = 64;

    /// <summary>The width that a head is filled up to with zeros: 4, 8, or a multiple of 16.</summary>
    public static int Padded(int width) => width <= 4 ? 4 : width <= 8 ? 8 : (width + 15) / 16 * 16;

    /// <summary>Scales down the total and the sums of the rows in a vector.</summary>
    /// <param name="factor">Of each row.</param>
    /// <param name="total">Of each row.</param>
    /// <param name="sums">[features, 32].</param>
    /// <param name="features">Any number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Shrink<TVector>(TVector factor, float* total, float* sums, int features)
        where TVector : unmanaged, IVector<TVector>
    {
        TVector.Store(TVector.Load(total) * factor, total);
        for (var c = 0; c < features; c++, sums += Rows)
        {
            TVector.Store(TVector.Load(sums) * factor, sums);
        }
    }
}
