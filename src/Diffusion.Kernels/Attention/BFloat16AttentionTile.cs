using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Kernels;

/// <summary>What <see cref="Float32AttentionTile{TVector}"/> does, where products are bfloat16: powers come from <see cref="NarrowPower"/>, and so do their sums, so that weights add up to 1.</summary>
internal static unsafe class BFloat16AttentionTile
{
    private const int Rows = AttentionTile.Rows;
    private const int Width = 16;

    /// <summary>As <see cref="Float32AttentionTile{TVector}.Softmax"/>. NaN among the scores of a row makes its total NaN.</summary>
    /// <param name="scores">[count, 32].</param>
    /// <param name="count">The columns, at least 1.</param>
    /// <param name="factor">What scores are multiplied by, above 0.</param>
    /// <param name="weights">Words [⌈count / 2⌉, 32]: the powers; written.</param>
    /// <param name="maxima">[32], −∞ before the first scores.</param>
    /// <param name="totals">[32], 0 before the first scores: the sums of the powers.</param>
    /// <param name="sums">[features, 32]: sums that were made with the old maxima.</param>
    /// <param name="features">Any number.</param>
    [MethodImpl(Loop.Alone)]
    public static void Softmax(float* scores, int count, float factor, uint* weights, float* maxima, float* totals, float* sums, int features)
    {
        var (scale, stepScale) = (Vector512.Create(factor), NarrowPower.Factor(factor));
        for (var half = 0; half < Rows; half += Width)
        {
            var before = Vector512.Load(maxima + half);
            var (maximum, total) = Maximum(before, scores + half, count);
            var shift = NarrowPower.Step(maximum * scale);
            if (maximum != before)
            {
                Vector512.Store(maximum, maxima + half);
                AttentionTile.Shrink(BinaryPower<BFloat16Tile, Float32x16>.Of(new(NarrowPower.Step(before * scale) - shift)), totals + half, sums + half, features);
            }

            var start = NarrowPower.Start(shift);
            float* from = scores + half;
            var to = weights + half;
            var j = 1;
            for (; j < count; j += 2, from += 2 * Rows, to += Rows)
            {
                var words = NarrowPower.Words(NarrowPower.Fixed(Vector512.Load(from), stepScale, start), NarrowPower.Fixed(Vector512.Load(from + Rows), stepScale, start));
                total += NarrowPower.Low(words) + NarrowPower.High(words);
                Vector512.Store(words, to);
            }

            if (j == count)
            {
                var last = NarrowPower.Fixed(Vector512.Load(from), stepScale, start);
                var words = NarrowPower.Words(last, last) & Vector512.Create(0xFFFFu);
                total += NarrowPower.Low(words);
                Vector512.Store(words, to);
            }

            Vector512.Store(Vector512.Load(totals + half) + total, totals + half);
        }
    }

    /// <summary>As <see cref="Float32AttentionTile{TVector}.Slopes"/>, of directions that were multiplied by the queries' shares: the powers alone are then the weights.</summary>
    /// <param name="scores">[count, 32].</param>
    /// <param name="slopes">[count, 32]: dP.</param>
    /// <param name="count">The columns, an even number.</param>
    /// <param name="factor">What scores are multiplied by.</param>
    /// <param name="queries">Of each column, with <see cref="NarrowPower.Start(float)"/> of the maxima in their place.</param>
    /// <param name="weights">Words [count / 2, 32]: P; written.</param>
    /// <param name="gradients">Words [count / 2, 32]: dS; written.</param>
    /// <param name="byQuery">Words [count, 16]: dS; written.</param>
    [MethodImpl(Loop.Alone)]
    public static void Slopes(float* scores, float* slopes, int count, float factor, QueryTotals queries, uint* weights, uint* gradients, ushort* byQuery)
    {
        var scale = NarrowPower.Factor(factor);
        for (var j = 0; j < count; j += 2, scores += 2 * Rows, slopes += 2 * Rows, weights += Rows, gradients += Rows, byQuery += 2 * Rows)
        {
            for (var half = 0; half < Rows; half += Width)
            {
                var low = NarrowPower.Fixed(Vector512.Load(scores + half), scale, Vector512.Create(queries.Maxima[j]));
                var high = NarrowPower.Fixed(Vector512.Load(scores + Rows + half), scale, Vector512.Create(queries.Maxima[j + 1]));
                var words = NarrowPower.Words(low, high);
                var one = NarrowPower.Low(words) * (Vector512.Load(slopes + half) - Vector512.Create(queries.Inner[j]));
                var other = NarrowPower.High(words) * (Vector512.Load(slopes + Rows + half) - Vector512.Create(queries.Inner[j + 1]));
                Vector512.Store(words, weights + half);
                Vector512.Store(BFloat16Values.Pair(one, other), gradients + half);
                Vector256.Store(BFloat16Values.Narrowed(one), byQuery + half);
                Vector256.Store(BFloat16Values.Narrowed(other), byQuery + Rows + half);
            }
        }
    }

    /// <summary>The largest of the columns of a vector of rows, and 0, or NaN where one is, which powers by integers lose; four at a time, as an instruction waits for the one before it in its own chain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Maximum, Vector512<float> Zero) Maximum(Vector512<float> first, float* scores, int count)
    {
        var (second, third, fourth, j) = (first, first, first, 0);
        var zero = Vector512<float>.Zero;
        var (ofFirst, ofSecond, ofThird, ofFourth) = (zero, zero, zero, zero);
        for (; j + 3 < count; j += 4, scores += 4 * Rows)
        {
            var (a, b, c, d) = (Vector512.Load(scores), Vector512.Load(scores + Rows), Vector512.Load(scores + (2 * Rows)), Vector512.Load(scores + (3 * Rows)));
            first = Vector512.MaxNative(first, a);
            second = Vector512.MaxNative(second, b);
            third = Vector512.MaxNative(third, c);
            fourth = Vector512.MaxNative(fourth, d);
            ofFirst = Vector512.FusedMultiplyAdd(a, zero, ofFirst);
            ofSecond = Vector512.FusedMultiplyAdd(b, zero, ofSecond);
            ofThird = Vector512.FusedMultiplyAdd(c, zero, ofThird);
            ofFourth = Vector512.FusedMultiplyAdd(d, zero, ofFourth);
        }

        for (; j < count; j++, scores += Rows)
        {
            var score = Vector512.Load(scores);
            first = Vector512.MaxNative(first, score);
            ofFirst = Vector512.FusedMultiplyAdd(score, zero, ofFirst);
        }

        return (Vector512.MaxNative(Vector512.MaxNative(first, second), Vector512.MaxNative(third, fourth)), ofFirst + ofSecond + ofThird + ofFourth);
    }
}
