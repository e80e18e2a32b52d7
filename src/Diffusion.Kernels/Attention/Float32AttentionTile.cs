using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Kernels;

/// <summary>
/// What attention does with the scores of a tile of 32 rows, one in each lane of two vectors, and some columns, where products are float32. It stays in the nearest caches: the matrix of all scores is
/// never written to memory.
/// </summary>
internal static unsafe class Float32AttentionTile
{
    private const int Rows = AttentionTile.Rows;
    private const int Width = 16;

    /// <summary>
    /// Takes in further scores of a running softmax: raises the rows' maxima, scales down what was summed with the old ones, and turns the
    /// scores into 2^(factor · (score − maximum)).
    /// </summary>
    /// <param name="scores">[count, 32]; the powers are written in their place.</param>
    /// <param name="count">The columns, at least 1.</param>
    /// <param name="factor">What scores are multiplied by, above 0.</param>
    /// <param name="maxima">[32], −∞ before the first scores.</param>
    /// <param name="totals">[32], 0 before the first scores: the sums of the powers.</param>
    /// <param name="sums">[features, 32]: sums that were made with the old maxima.</param>
    /// <param name="features">Any number.</param>
    /// <remarks>Milakov and Gimelshein, Online normalizer calculation for softmax, arXiv:1805.02867, algorithm 3.</remarks>
    [MethodImpl(Loop.Alone)]
    public static void Softmax(float* scores, int count, float factor, float* maxima, float* totals, float* sums, int features)
    {
        var scale = Vector512.Create(factor);
        for (var half = 0; half < Rows; half += Width)
        {
            var before = Vector512.Load(maxima + half);
            var maximum = before;
            for (float* place = scores + half, end = place + (count * Rows); place < end; place += Rows)
            {
                maximum = Vector512.MaxNative(maximum, Vector512.Load(place));
            }

            if (maximum != before)
            {
                Vector512.Store(maximum, maxima + half);
                AttentionTile.Shrink(BinaryPower<Float32Tile>.Of((before - maximum) * scale), totals + half, sums + half, features);
            }

            var shift = maximum * scale;
            var total = Vector512<float>.Zero;
            for (float* place = scores + half, end = place + (count * Rows); place < end; place += Rows)
            {
                var power = BinaryPower<Float32Tile>.Of(Vector512.MultiplyAddEstimate(Vector512.Load(place), scale, -shift));
                total += power;
                Vector512.Store(power, place);
            }

            Vector512.Store(Vector512.Load(totals + half) + total, totals + half);
        }
    }

    /// <summary>From scores and the gradients of their weights to the weights P and the gradients of the scores, dS = P ∘ (dP − D), with a key in each lane.</summary>
    /// <param name="scores">[count, 32]; P is written in their place.</param>
    /// <param name="slopes">[count, 32]: dP; dS is written in their place.</param>
    /// <param name="count">The columns.</param>
    /// <param name="factor">What scores are multiplied by.</param>
    /// <param name="queries">Of each column.</param>
    /// <remarks>FlashAttention, arXiv:2205.14135, appendix B.2, with D the inner product of a query's output and its gradient.</remarks>
    [MethodImpl(Loop.Alone)]
    public static void Slopes(float* scores, float* slopes, int count, float factor, QueryTotals queries)
    {
        var scale = Vector512.Create(factor);
        for (var j = 0; j < count; j++, scores += Rows, slopes += Rows)
        {
            for (var half = 0; half < Rows; half += Width)
            {
                var power = BinaryPower<Float32Tile>.Of(Vector512.MultiplyAddEstimate(Vector512.Load(scores + half), scale, Vector512.Create(-queries.Maxima[j])));
                var weight = Vector512.Create(queries.Shares[j]) * power;
                Vector512.Store(weight, scores + half);
                Vector512.Store(weight * (Vector512.Load(slopes + half) - Vector512.Create(queries.Inner[j])), slopes + half);
            }
        }
    }
}
