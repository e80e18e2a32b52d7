using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>
/// The arithmetic of attention on a tile of 32 rows, one in each lane of two vectors, and some columns. It is float32 and stays in the
/// nearest caches: the matrix of all scores is never written to memory.
/// </summary>
internal static unsafe class AttentionTile
{
    /// <summary>The rows of a tile.</summary>
    public const int Rows = 32;

    /// <summary>The most columns of a tile: its scores, [64, 32], fill a sixth of a first-level cache.</summary>
    public const int Columns = 64;

    /// <summary>Columns and features come in groups of so many; what is missing to a group is zeros.</summary>
    public const int Group = 4;

    private const int Width = 16;

    /// <summary>The next multiple of <see cref="Group"/>.</summary>
    public static int Padded(int count) => (count + Group - 1) / Group * Group;

    /// <summary>scores[j, row] = Σ_c rows[c, row] · columns[j, c].</summary>
    /// <param name="rows">[features, 32].</param>
    /// <param name="columns">[count, features].</param>
    /// <param name="count">A multiple of <see cref="Group"/>.</param>
    /// <param name="features">Any number.</param>
    /// <param name="scores">[count, 32]; written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Products(float* rows, float* columns, int count, int features, float* scores)
    {
        for (var j = 0; j < count; j += Group, columns += Group * features, scores += Group * Rows)
        {
            Vector512<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
            float* row = rows, first = columns, second = first + features, third = second + features, fourth = third + features;
            for (var end = second; first < end; row += Rows)
            {
                var (low, high) = (Vector512.Load(row), Vector512.Load(row + Width));
                var factor = Vector512.Create(*first++);
                a0 = Vector512.FusedMultiplyAdd(low, factor, a0);
                a1 = Vector512.FusedMultiplyAdd(high, factor, a1);
                factor = Vector512.Create(*second++);
                b0 = Vector512.FusedMultiplyAdd(low, factor, b0);
                b1 = Vector512.FusedMultiplyAdd(high, factor, b1);
                factor = Vector512.Create(*third++);
                c0 = Vector512.FusedMultiplyAdd(low, factor, c0);
                c1 = Vector512.FusedMultiplyAdd(high, factor, c1);
                factor = Vector512.Create(*fourth++);
                d0 = Vector512.FusedMultiplyAdd(low, factor, d0);
                d1 = Vector512.FusedMultiplyAdd(high, factor, d1);
            }

            Store(scores, a0, a1);
            Store(scores + Rows, b0, b1);
            Store(scores + (2 * Rows), c0, c1);
            Store(scores + (3 * Rows), d0, d1);
        }
    }

    /// <summary>sums[c, row] += Σ_j weights[j, row] · columns[j, c].</summary>
    /// <param name="weights">[count, 32].</param>
    /// <param name="columns">[count, features].</param>
    /// <param name="count">Any number.</param>
    /// <param name="features">A multiple of <see cref="Group"/>.</param>
    /// <param name="sums">[features, 32]; added to.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate(float* weights, float* columns, int count, int features, float* sums)
    {
        for (var c = 0; c < features; c += Group, sums += Group * Rows)
        {
            // From zero, and added at the end: sums of sums have smaller errors than one long sum.
            Vector512<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
            float* column = columns + c, weight = weights;
            for (var end = weights + (count * Rows); weight < end; weight += Rows, column += features)
            {
                var (low, high) = (Vector512.Load(weight), Vector512.Load(weight + Width));
                var factor = Vector512.Create(column[0]);
                a0 = Vector512.FusedMultiplyAdd(low, factor, a0);
                a1 = Vector512.FusedMultiplyAdd(high, factor, a1);
                factor = Vector512.Create(column[1]);
                b0 = Vector512.FusedMultiplyAdd(low, factor, b0);
                b1 = Vector512.FusedMultiplyAdd(high, factor, b1);
                factor = Vector512.Create(column[2]);
                c0 = Vector512.FusedMultiplyAdd(low, factor, c0);
                c1 = Vector512.FusedMultiplyAdd(high, factor, c1);
                factor = Vector512.Create(column[3]);
                d0 = Vector512.FusedMultiplyAdd(low, factor, d0);
                d1 = Vector512.FusedMultiplyAdd(high, factor, d1);
            }

            Add(sums, a0, a1);
            Add(sums + Rows, b0, b1);
            Add(sums + (2 * Rows), c0, c1);
            Add(sums + (3 * Rows), d0, d1);
        }
    }

    /// <summary>sums[j, c] += Σ_row weights[j, row] · rows[row, c].</summary>
    /// <param name="weights">[count, 32].</param>
    /// <param name="rows">[32, features].</param>
    /// <param name="count">A multiple of 8.</param>
    /// <param name="features">A multiple of <see cref="Group"/>.</param>
    /// <param name="sums">[count, features]; added to.</param>
    public static void Spread(float* weights, float* rows, int count, int features, float* sums)
    {
        var c = 0;
        for (; c + Width <= features; c += Width)
        {
            SpreadWide(weights, rows + c, count, features, sums + c);
        }

        for (; c < features; c += Group)
        {
            SpreadNarrow(weights, rows + c, count, features, sums + c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SpreadWide(float* weights, float* rows, int count, int features, float* sums)
    {
        for (var j = 0; j < count; j += 8, weights += 8 * Rows, sums += 8 * features)
        {
            Vector512<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
            float* weight = weights, row = rows;
            for (var i = 0; i < Rows; i++, weight++, row += features)
            {
                var values = Vector512.Load(row);
                a = Vector512.FusedMultiplyAdd(Vector512.Create(weight[0]), values, a);
                b = Vector512.FusedMultiplyAdd(Vector512.Create(weight[Rows]), values, b);
                c = Vector512.FusedMultiplyAdd(Vector512.Create(weight[2 * Rows]), values, c);
                d = Vector512.FusedMultiplyAdd(Vector512.Create(weight[3 * Rows]), values, d);
                e = Vector512.FusedMultiplyAdd(Vector512.Create(weight[4 * Rows]), values, e);
                f = Vector512.FusedMultiplyAdd(Vector512.Create(weight[5 * Rows]), values, f);
                g = Vector512.FusedMultiplyAdd(Vector512.Create(weight[6 * Rows]), values, g);
                h = Vector512.FusedMultiplyAdd(Vector512.Create(weight[7 * Rows]), values, h);
            }

            Vector512.Store(Vector512.Load(sums) + a, sums);
            Vector512.Store(Vector512.Load(sums + features) + b, sums + features);
            Vector512.Store(Vector512.Load(sums + (2 * features)) + c, sums + (2 * features));
            Vector512.Store(Vector512.Load(sums + (3 * features)) + d, sums + (3 * features));
            Vector512.Store(Vector512.Load(sums + (4 * features)) + e, sums + (4 * features));
            Vector512.Store(Vector512.Load(sums + (5 * features)) + f, sums + (5 * features));
            Vector512.Store(Vector512.Load(sums + (6 * features)) + g, sums + (6 * features));
            Vector512.Store(Vector512.Load(sums + (7 * features)) + h, sums + (7 * features));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SpreadNarrow(float* weights, float* rows, int count, int features, float* sums)
    {
        for (var j = 0; j < count; j += 8, weights += 8 * Rows, sums += 8 * features)
        {
            Vector128<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
            float* weight = weights, row = rows;
            for (var i = 0; i < Rows; i++, weight++, row += features)
            {
                var values = Vector128.Load(row);
                a = Vector128.FusedMultiplyAdd(Vector128.Create(weight[0]), values, a);
                b = Vector128.FusedMultiplyAdd(Vector128.Create(weight[Rows]), values, b);
                c = Vector128.FusedMultiplyAdd(Vector128.Create(weight[2 * Rows]), values, c);
                d = Vector128.FusedMultiplyAdd(Vector128.Create(weight[3 * Rows]), values, d);
                e = Vector128.FusedMultiplyAdd(Vector128.Create(weight[4 * Rows]), values, e);
                f = Vector128.FusedMultiplyAdd(Vector128.Create(weight[5 * Rows]), values, f);
                g = Vector128.FusedMultiplyAdd(Vector128.Create(weight[6 * Rows]), values, g);
                h = Vector128.FusedMultiplyAdd(Vector128.Create(weight[7 * Rows]), values, h);
            }

            Vector128.Store(Vector128.Load(sums) + a, sums);
            Vector128.Store(Vector128.Load(sums + features) + b, sums + features);
            Vector128.Store(Vector128.Load(sums + (2 * features)) + c, sums + (2 * features));
            Vector128.Store(Vector128.Load(sums + (3 * features)) + d, sums + (3 * features));
            Vector128.Store(Vector128.Load(sums + (4 * features)) + e, sums + (4 * features));
            Vector128.Store(Vector128.Load(sums + (5 * features)) + f, sums + (5 * features));
            Vector128.Store(Vector128.Load(sums + (6 * features)) + g, sums + (6 * features));
            Vector128.Store(Vector128.Load(sums + (7 * features)) + h, sums + (7 * features));
        }
    }

    /// <summary>
    /// Takes in further scores of a running softmax: raises the rows' maxima, scales down what was summed with the old ones, and turns the
    /// scores into 2^(score − maximum).
    /// </summary>
    /// <param name="scores">[count, 32]; overwritten.</param>
    /// <param name="count">The columns, at least 1.</param>
    /// <param name="maxima">[32], −∞ before the first scores.</param>
    /// <param name="totals">[32], 0 before the first scores: the sums of the powers.</param>
    /// <param name="sums">[features, 32]: sums that were made with the old maxima.</param>
    /// <param name="features">Any number.</param>
    /// <remarks>Milakov and Gimelshein, Online normalizer calculation for softmax, arXiv:1805.02867, algorithm 3.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Softmax(float* scores, int count, float* maxima, float* totals, float* sums, int features)
    {
        for (var half = 0; half < Rows; half += Width)
        {
            var before = Vector512.Load(maxima + half);
            var maximum = before;
            for (var j = 0; j < count; j++)
            {
                maximum = Vector512.MaxNative(maximum, Vector512.Load(scores + (j * Rows) + half));
            }

            var shrink = Power(before - maximum);
            for (var c = 0; c < features; c++)
            {
                Vector512.Store(Vector512.Load(sums + (c * Rows) + half) * shrink, sums + (c * Rows) + half);
            }

            Vector512<float> total = default;
            for (var j = 0; j < count; j++)
            {
                var place = scores + (j * Rows) + half;
                var power = Power(Vector512.Load(place) - maximum);
                total += power;
                Vector512.Store(power, place);
            }

            Vector512.Store(maximum, maxima + half);
            Vector512.Store(Vector512.FusedMultiplyAdd(Vector512.Load(totals + half), shrink, total), totals + half);
        }
    }

    /// <summary>2^x with a relative error below 1e-7, for x from −126; below that 2^−126. NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Power(Vector512<float> x)
    {
        // The second operand is what comes out where one is NaN.
        x = Vector512.MinNative(Vector512.Create(127f), Vector512.MaxNative(Vector512.Create(-126f), x));
        var whole = Vector512.Round(x);
        var rest = x - whole;

        // The polynomial of degree 6 with the least relative error on [−1/2, 1/2], 1.9e-9, by Remez' exchange.
        var power = Vector512.FusedMultiplyAdd(Vector512.Create(1.5345812e-4f), rest, Vector512.Create(1.3399931e-3f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(9.618489e-3f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(5.5503288e-2f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.24022647f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512.Create(0.6931472f));
        power = Vector512.FusedMultiplyAdd(power, rest, Vector512<float>.One);
        return power * ((Vector512.ConvertToInt32Native(whole) + Vector512.Create(127)) << 23).AsSingle();
    }

    private static void Store(float* place, Vector512<float> low, Vector512<float> high)
    {
        Vector512.Store(low, place);
        Vector512.Store(high, place + Width);
    }

    private static void Add(float* place, Vector512<float> low, Vector512<float> high) =>
        Store(place, Vector512.Load(place) + low, Vector512.Load(place + Width) + high);
}
