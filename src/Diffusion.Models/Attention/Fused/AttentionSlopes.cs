using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>From scores and the gradients of their weights to the gradients of the scores, on a tile.</summary>
/// <remarks>FlashAttention, arXiv:2205.14135, appendix B.2: dS = P ∘ (dP − D), with D the inner product of a query's output and its gradient.</remarks>
internal static unsafe class AttentionSlopes
{
    private const int Width = 16;

    /// <summary>With a key in each lane.</summary>
    /// <param name="scores">[count, 32], to base 2; the weights P afterwards.</param>
    /// <param name="slopes">[count, 32]: dP, dS afterwards.</param>
    /// <param name="count">The columns.</param>
    /// <param name="maxima">[count], a query's.</param>
    /// <param name="shares">[count], a query's: one over the sum of its powers.</param>
    /// <param name="inner">[count], D of a query.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(float* scores, float* slopes, int count, float* maxima, float* shares, float* inner)
    {
        for (var j = 0; j < count; j++)
        {
            var (maximum, share, mean) = (Vector512.Create(maxima[j]), Vector512.Create(shares[j]), Vector512.Create(inner[j]));
            for (var i = j * AttentionTile.Rows; i < (j + 1) * AttentionTile.Rows; i += Width)
            {
                var weight = share * AttentionTile.Power(Vector512.Load(scores + i) - maximum);
                Vector512.Store(weight, scores + i);
                Vector512.Store(weight * (Vector512.Load(slopes + i) - mean), slopes + i);
            }
        }
    }
}
