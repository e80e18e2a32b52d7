using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>
/// What attention does with the scores of a tile of 32 rows, one in each lane of two vectors, and some columns. It stays in the nearest caches: the matrix of all scores is
/// never written to memory.
/// </summary>
/// <typeparam name="T">What the products before and after are computed in.</typeparam>
internal static unsafe class AttentionTile<T>
    where T : ITileFormat
{
    private const int Rows = AttentionTile.Rows;
    private const int Width = 16;

    /// <summary>
    /// Takes in further scores of a running softmax: raises the rows' maxima, scales down what was summed with the old ones, and turns the
    /// scores into 2^(factor · (score − maximum)).
    /// </summary>
    /// <param name="scores">[count, 32].</param>
    /// <param name="count">The columns, at least 1.</param>
    /// <param name="factor">What scores are multiplied by, above 0.</param>
    /// <param name="weights">Words [⌈count / values in a word⌉, 32]; written. May be where the scores are.</param>
    /// <param name="maxima">[32], −∞ before the first scores.</param>
    /// <param name="totals">[32], 0 before the first scores: the sums of the powers.</param>
    /// <param name="sums">[features, 32]: sums that were made with the old maxima.</param>
    /// <param name="features">Any number.</param>
    /// <remarks>Milakov and Gimelshein, Online normalizer calculation for softmax, arXiv:1805.02867, algorithm 3.</remarks>
    [MethodImpl(Loop.Alone)]
    public static void Softmax(float* scores, int count, float factor, uint* weights, float* maxima, float* totals, float* sums, int features)
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
                var shrink = BinaryPower<T>.Of((before - maximum) * scale);
                Vector512.Store(Vector512.Load(totals + half) * shrink, totals + half);
                for (var c = 0; c < features; c++)
                {
                    Vector512.Store(Vector512.Load(sums + (c * Rows) + half) * shrink, sums + (c * Rows) + half);
                }
            }

            var shift = maximum * scale;
            var total = Vector512<float>.Zero;
            float* from = scores + half;
            var to = weights + half;
            var j = 0;
            for (; j + T.PerWord <= count; j += T.PerWord, from += T.PerWord * Rows, to += Rows)
            {
                var power = BinaryPower<T>.Of(Vector512.MultiplyAddEstimate(Vector512.Load(from), scale, -shift));
                if (T.PerWord == 1)
                {
                    total += power;
                    Vector512.Store(power.AsUInt32(), to);
                    continue;
                }

                var next = BinaryPower<T>.Of(Vector512.MultiplyAddEstimate(Vector512.Load(from + Rows), scale, -shift));
                total += power + next;
                Vector512.Store(AttentionTile.Pair(power, next), to);
            }

            if (j < count)
            {
                var power = BinaryPower<T>.Of(Vector512.MultiplyAddEstimate(Vector512.Load(from), scale, -shift));
                total += power;
                Vector512.Store(AttentionTile.Pair(power, Vector512<float>.Zero), to);
            }

            Vector512.Store(Vector512.Load(totals + half) + total, totals + half);
        }
    }

    /// <summary>From scores and the gradients of their weights to the weights P and the gradients of the scores, dS = P ∘ (dP − D), with a key in each lane.</summary>
    /// <param name="scores">[count, 32].</param>
    /// <param name="slopes">[count, 32]: dP.</param>
    /// <param name="count">The columns, a multiple of the values in a word.</param>
    /// <param name="factor">What scores are multiplied by.</param>
    /// <param name="queries">Of each column.</param>
    /// <param name="weights">Words [count / values in a word, 32]: P; written. May be where the scores are.</param>
    /// <param name="gradients">Words [count / values in a word, 32]: dS; written. May be where the slopes are.</param>
    /// <param name="byQuery">Words [count, 32 / values in a word]: dS; written, unless a word is a float: then it is the same as <paramref name="gradients"/>.</param>
    /// <remarks>FlashAttention, arXiv:2205.14135, appendix B.2, with D the inner product of a query's output and its gradient.</remarks>
    [MethodImpl(Loop.Alone)]
    public static void Slopes(float* scores, float* slopes, int count, float factor, QueryTotals queries, uint* weights, uint* gradients, uint* byQuery)
    {
        var scale = Vector512.Create(factor);
        for (var j = 0; j < count; j += T.PerWord, weights += Rows, gradients += Rows)
        {
            for (var half = 0; half < Rows; half += Width)
            {
                var weight = Weight(scores, j, half, scale, queries);
                var gradient = Gradient(slopes, j, half, weight, queries);
                if (T.PerWord == 1)
                {
                    Vector512.Store(weight.AsUInt32(), weights + half);
                    Vector512.Store(gradient.AsUInt32(), gradients + half);
                    continue;
                }

                var nextWeight = Weight(scores, j + 1, half, scale, queries);
                var nextGradient = Gradient(slopes, j + 1, half, nextWeight, queries);
                Vector512.Store(AttentionTile.Pair(weight, nextWeight), weights + half);
                Vector512.Store(AttentionTile.Pair(gradient, nextGradient), gradients + half);
                Vector256.Store(AttentionTile.Narrowed(gradient), (ushort*)byQuery + (j * Rows) + half);
                Vector256.Store(AttentionTile.Narrowed(nextGradient), (ushort*)byQuery + ((j + 1) * Rows) + half);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Weight(float* scores, int j, int half, Vector512<float> scale, QueryTotals queries) =>
        Vector512.Create(queries.Shares[j]) * BinaryPower<T>.Of(Vector512.MultiplyAddEstimate(Vector512.Load(scores + (j * Rows) + half), scale, Vector512.Create(-queries.Maxima[j])));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Gradient(float* slopes, int j, int half, Vector512<float> weight, QueryTotals queries) =>
        weight * (Vector512.Load(slopes + (j * Rows) + half) - Vector512.Create(queries.Inner[j]));
}
