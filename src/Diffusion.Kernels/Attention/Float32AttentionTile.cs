using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>
/// What attention does with the scores of a tile of 32 rows, one in each lane of some vectors, and some columns, where products are float32. It stays in the nearest caches: the matrix of all scores is
/// never written to memory.
/// </summary>
/// <typeparam name="TVector">The vectors.</typeparam>
internal static unsafe class Float32AttentionTile<TVector>
    where TVector : unmanaged, IVector<TVector>
{
    private const int Rows = AttentionTile.Rows;

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
        var scale = TVector.Create(factor);
        for (var lane = 0; lane < Rows; lane += TVector.Count)
        {
            var before = TVector.Load(maxima + lane);
            var maximum = Maximum(before, scores + lane, count);
            if (!TVector.AreEqual(maximum, before))
            {
                TVector.Store(maximum, maxima + lane);
                AttentionTile.Shrink(BinaryPower<Float32Tile, TVector>.Of((before - maximum) * scale), totals + lane, sums + lane, features);
            }

            var shift = default(TVector) - (maximum * scale);
            var total = default(TVector);
            for (float* place = scores + lane, end = place + (count * Rows); place < end; place += Rows)
            {
                var power = BinaryPower<Float32Tile, TVector>.Of(TVector.FusedMultiplyAdd(TVector.Load(place), scale, shift));
                total += power;
                TVector.Store(power, place);
            }

            TVector.Store(TVector.Load(totals + lane) + total, totals + lane);
        }
    }

    /// <summary>From scores and the gradients of their weights to the weights P and the gradients of the scores, dS = P ∘ (dP − D), with a key in each lane.</summary>
    /// <param name="scores">[count, 32]; P is written in their place.</param>
    /// <param name="slopes">[count, 32]: dP; dS is written in their place.</param>
    /// <param name="count">The columns.</param>
    /// <param name="factor">What scores are multiplied by.</param>
    /// <param name="queries">Of each column.</param>
    /// <remarks>FlashAttention, arXiv:2205.14135, appendix B.2, with D of <see cref="QueryTotals.Inner"/>.</remarks>
    [MethodImpl(Loop.Alone)]
    public static void Slopes(float* scores, float* slopes, int count, float factor, QueryTotals queries)
    {
        var scale = TVector.Create(factor);
        for (var j = 0; j < count; j++, scores += Rows, slopes += Rows)
        {
            for (var lane = 0; lane < Rows; lane += TVector.Count)
            {
                var weight = Weight(scores + lane, scale, queries, j);
                TVector.Store(weight, scores + lane);
                TVector.Store(weight * (TVector.Load(slopes + lane) - TVector.Create(queries.Inner[j])), slopes + lane);
            }
        }
    }

    /// <summary>Adds Σ P ∘ dP over the keys of a tile to D of the queries.</summary>
    /// <param name="scores">[count, 32].</param>
    /// <param name="slopes">[count, 32]: dP.</param>
    /// <param name="count">The columns.</param>
    /// <param name="keys">How many of the 32 keys are there; the others have no part in the sum.</param>
    /// <param name="factor">What scores are multiplied by.</param>
    /// <param name="queries">Of each column.</param>
    [MethodImpl(Loop.Alone)]
    public static void AddInner(float* scores, float* slopes, int count, int keys, float factor, QueryTotals queries)
    {
        var scale = TVector.Create(factor);
        for (var j = 0; j < count; j++, scores += Rows, slopes += Rows)
        {
            var sum = default(TVector);
            for (var lane = 0; lane < Rows; lane += TVector.Count)
            {
                sum += (Weight(scores + lane, scale, queries, j) & TVector.First(keys - lane)) * TVector.Load(slopes + lane);
            }

            queries.Inner[j] += TVector.Sum(sum);
        }
    }

    /// <summary>P of a vector of scores of a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Weight(float* scores, TVector scale, QueryTotals queries, int query) =>
        TVector.Create(queries.Shares[query]) * BinaryPower<Float32Tile, TVector>.Of(TVector.FusedMultiplyAdd(TVector.Load(scores), scale, TVector.Create(-queries.Maxima[query])));

    /// <summary>The largest of the columns of a vector of rows, four at a time: an instruction has to wait for the one before it in its own chain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Maximum(TVector first, float* scores, int count)
    {
        var (second, third, fourth, j) = (first, first, first, 0);
        for (; j + 3 < count; j += 4, scores += 4 * Rows)
        {
            first = TVector.Max(first, TVector.Load(scores));
            second = TVector.Max(second, TVector.Load(scores + Rows));
            third = TVector.Max(third, TVector.Load(scores + (2 * Rows)));
            fourth = TVector.Max(fourth, TVector.Load(scores + (3 * Rows)));
        }

        for (; j < count; j++, scores += Rows)
        {
            first = TVector.Max(first, TVector.Load(scores));
        }

        return TVector.Max(TVector.Max(first, second), TVector.Max(third, fourth));
    }
}
