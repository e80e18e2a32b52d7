using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Kernels;

/// <summary>
/// softmax(q·kᵀ/√d)·v and its gradients, tile by tile on the CPU, each head in one piece of work. A row's result depends on its own head
/// alone and not on the number of threads.
/// </summary>
/// <typeparam name="T">What products are computed in; sums and the softmax are float32.</typeparam>
/// <remarks>
/// FlashAttention, arXiv:2205.14135, algorithms 1 and 4: tiles, a running softmax, scores computed again in the backward pass.
/// </remarks>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class AttentionKernel<T, TVector>(int heads, int width) : IAttentionKernel
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int ForwardRows = 256; // of a piece of work
    private const int FewScores = 128 * 128; // below, D is the sum over the keys: the inner product of output and direction is the same number, but rounds more
    private const int Score = AttentionTile.Columns * AttentionTile.Rows;
    private readonly int _features = AttentionTile.Padded(width);
    private readonly AttentionProducts _products = AttentionProducts.For<T, TVector>(AttentionTile.Padded(width));
    private readonly float _scale = (float)(1 / Math.Sqrt(width));
    private readonly float _binaryScale = (float)(1.4426950408889634 / Math.Sqrt(width)); // powers of 2 instead of e

    private int Lanes => _features * AttentionTile.Rows;

    private int Words => _features / T.PerWord;

    private int ScoreOrRows => Math.Max(Score, Lanes); // what is written of a tile takes the place of its scores

    /// <inheritdoc/>
    public void Forward(int images, HeadView query, HeadView key, HeadView value, HeadView output, float* totals)
    {
        var parts = (query.Tokens + ForwardRows - 1) / ForwardRows;
        parts = images * heads >= 4 * TileWork.Threads ? 1 : parts;
        var rows = (((query.Tokens + parts - 1) / parts) + AttentionTile.Rows - 1) / AttentionTile.Rows * AttentionTile.Rows;
        TileWork.Run(images * heads * parts, (3 * Columns(key)) + (4 * Lanes) + Score + ScoreOrRows + (2 * AttentionTile.Rows), new ForwardWork(this, heads, query, key, value, output, totals, parts, rows));
    }

    /// <inheritdoc/>
    public void Backward(int images, HeadView query, HeadView key, HeadView value, HeadView output, float* totals, HeadView direction, (HeadView Query, HeadView Key, HeadView Value) gradients)
    {
        var size = (4 * Columns(query)) + (3 * Padded(query)) + (7 * Lanes) + (3 * Score) + ScoreOrRows;
        TileWork.Run(images * heads, size, new BackwardWork(this, heads, query, key, value, output, totals, direction, gradients));
    }

    private void Backward(int image, int head, HeadView query, HeadView key, HeadView value, HeadView output, float* totals, HeadView direction, in (HeadView Query, HeadView Key, HeadView Value) gradients, TileScratch scratch)
    {
        var columns = (int)Padded(query);
        var packed = new Queries
        {
            Rows = ReadRows(query, image, head, scratch),
            Directions = ReadRows(direction, image, head, scratch),
            Gradients = scratch.Take(Columns(query)),
            Totals = new() { Maxima = scratch.Take(columns), Shares = scratch.Take(columns), Inner = scratch.Take(columns) },
        };
        Copy(totals, query.Tokens, packed.Totals.Maxima, columns);
        Copy(totals + query.Tokens, query.Tokens, packed.Totals.Shares, columns); // tokens that are not there have no weight
        var tile = new KeyTile(scratch, Lanes);
        new Span<float>(packed.Totals.Inner, columns).Clear();
        if (T.PerWord == 1 && (long)query.Tokens * key.Tokens < FewScores)
        {
            for (var first = 0; first < key.Tokens; first += AttentionTile.Rows)
            {
                AddInner(image, head, first, key, value, columns, packed, tile);
            }
        }
        else
        {
            output.Multiply<TVector>(direction, image, head, packed.Totals.Inner);
        }

        if (T.PerWord > 1)
        {
            Prepare(packed, columns);
        }

        packed.Pairs = Paired(packed.Rows, columns, scratch);
        packed.DirectionPairs = Paired(packed.Directions, columns, scratch);
        new Span<float>(packed.Gradients, (int)Columns(query)).Clear();
        for (var first = 0; first < key.Tokens; first += AttentionTile.Rows)
        {
            Gradients(image, head, first, key, value, columns, gradients.Key, gradients.Value, packed, tile);
        }

        gradients.Query.Write<TVector>(image, head, _scale, packed.Gradients);
    }

    /// <summary>Multiplies directions by shares, so that tiles need not, and turns maxima into what tiles start from.</summary>
    private void Prepare(Queries packed, int columns)
    {
        TileRows<TVector>.Scale((ushort*)packed.Directions, columns, _features, packed.Totals.Shares);
        for (var i = 0; i < columns; i++)
        {
            packed.Totals.Inner[i] *= packed.Totals.Shares[i];
            packed.Totals.Maxima[i] = NarrowPower.Start(packed.Totals.Maxima[i]);
        }
    }

    /// <summary>The share of a tile of keys in D of all queries.</summary>
    private void AddInner(int image, int head, int first, HeadView key, HeadView value, int queries, Queries packed, KeyTile tile)
    {
        value.ReadLanes<T, TVector>(image, head, first, tile.Values, tile.Rows);
        key.ReadLanes<T, TVector>(image, head, first, tile.Keys, tile.Rows);
        for (var j = 0; j < queries; j += AttentionTile.Columns)
        {
            var (count, at) = (Math.Min(AttentionTile.Columns, queries - j), (long)j * Words);
            _products.Scores.Run(packed.Rows + at, tile.Keys, tile.Scores, count, Words);
            _products.Scores.Run(packed.Directions + at, tile.Values, tile.Slopes, count, Words);
            Float32AttentionTile<TVector>.AddInner(tile.Scores, tile.Slopes, count, Math.Min(AttentionTile.Rows, key.Tokens - first), _binaryScale, packed.Totals + j);
        }
    }

    /// <summary>A tile of keys against all queries: dK = dSᵀ·Q, dV = Pᵀ·dO, and its share of dQ = dS·K.</summary>
    private void Gradients(int image, int head, int first, HeadView key, HeadView value, int queries, HeadView keyGradient, HeadView valueGradient, Queries packed, KeyTile tile)
    {
        value.ReadLanes<T, TVector>(image, head, first, tile.Values, tile.Rows);
        key.ReadLanes<T, TVector>(image, head, first, tile.Keys, tile.Rows);
        var pairs = T.PerWord == 1 ? tile.Rows : tile.Pairs;
        Pair(tile.Rows, AttentionTile.Rows, pairs);
        new Span<float>(tile.KeySums, Lanes).Clear();
        new Span<float>(tile.ValueSums, Lanes).Clear();
        for (var j = 0; j < queries; j += AttentionTile.Columns)
        {
            var count = Math.Min(AttentionTile.Columns, queries - j);
            var (at, depth) = ((long)j * Words, count / T.PerWord);
            _products.Scores.Run(packed.Rows + at, tile.Keys, tile.Scores, count, Words);
            _products.Scores.Run(packed.Directions + at, tile.Values, tile.Slopes, count, Words);
            if (T.PerWord == 1)
            {
                Float32AttentionTile<TVector>.Slopes(tile.Scores, tile.Slopes, count, _binaryScale, packed.Totals + j);
            }
            else
            {
                BFloat16AttentionTile.Slopes(tile.Scores, tile.Slopes, count, _binaryScale, packed.Totals + j, tile.Weights, tile.Gradients, (ushort*)tile.ByQuery);
            }

            ClearLanes(tile.ByQuery, count, key.Tokens - first);
            _products.Sums.Run(packed.Pairs + at, tile.Gradients, tile.KeySums, _features, depth);
            _products.Sums.Run(packed.DirectionPairs + at, tile.Weights, tile.ValueSums, _features, depth);
            for (var c = 0; c < _features; c += _products.SpreadLanes)
            {
                _products.Spread.Run(tile.ByQuery, pairs + c, packed.Gradients + ((long)j * _features) + c, count, AttentionTile.Rows / T.PerWord);
            }
        }

        keyGradient.WriteLanes<TVector>(image, head, first, _scale, tile.KeySums, tile.Scores);
        valueGradient.WriteLanes<TVector>(image, head, first, 1, tile.ValueSums, tile.Scores);
    }

    private void Forward(int image, int head, int first, int last, HeadView query, HeadView key, HeadView value, HeadView output, float* totals, TileScratch scratch)
    {
        var keys = ReadRows(key, image, head, scratch);
        var values = Paired(ReadRows(value, image, head, scratch), (int)Padded(key), scratch);
        uint* lanes = scratch.TakeWords(Lanes), rows = scratch.TakeWords(Lanes);
        float* sums = scratch.Take(Lanes), scores = scratch.Take(ScoreOrRows);
        float* maxima = scratch.Take(AttentionTile.Rows), powers = scratch.Take(AttentionTile.Rows);
        var weights = T.PerWord == 1 ? (uint*)scores : scratch.TakeWords(Score);
        for (; first < last; first += AttentionTile.Rows)
        {
            query.ReadLanes<T, TVector>(image, head, first, lanes, rows);
            new Span<float>(sums, Lanes).Clear();
            new Span<float>(powers, AttentionTile.Rows).Clear();
            new Span<float>(maxima, AttentionTile.Rows).Fill(float.NegativeInfinity);
            for (var j = 0; j < key.Tokens; j += AttentionTile.Columns)
            {
                var (count, at) = (Math.Min(AttentionTile.Columns, key.Tokens - j), (long)j * Words);
                _products.Scores.Run(keys + at, lanes, scores, count, Words);
                if (T.PerWord == 1)
                {
                    Float32AttentionTile<TVector>.Softmax(scores, count, _binaryScale, maxima, powers, sums, _features);
                }
                else
                {
                    BFloat16AttentionTile.Softmax(scores, count, _binaryScale, weights, maxima, powers, sums, _features);
                }

                _products.Sums.Run(values + at, weights, sums, _features, (count + T.PerWord - 1) / T.PerWord);
            }

            Divide(sums, powers);
            output.WriteLanes<TVector>(image, head, first, 1, sums, scores);
            for (var i = 0; i < Math.Min(AttentionTile.Rows, query.Tokens - first); i++)
            {
                totals[first + i] = T.PerWord == 1 ? maxima[i] * _binaryScale : NarrowPower.Step(maxima[i] * _binaryScale);
                totals[query.Tokens + first + i] = 1 / powers[i];
            }
        }
    }

    /// <summary>Keys that are not there have no gradients: those of scores of 0, where all others are far below, could be infinite, and infinity times 0 is not 0.</summary>
    private static void ClearLanes(uint* gradients, int rows, int keys)
    {
        if (keys >= AttentionTile.Rows)
        {
            return;
        }

        var (size, lanes) = (sizeof(uint) / T.PerWord, AttentionTile.Rows - keys);
        var row = (byte*)gradients + (keys * size);
        for (var i = 0; i < rows; i++, row += AttentionTile.Rows * size)
        {
            new Span<byte>(row, lanes * size).Clear();
        }
    }

    private static long Padded(HeadView view) => (view.Tokens + AttentionTile.Rows - 1) / AttentionTile.Rows * AttentionTile.Rows;

    private long Columns(HeadView view) => Padded(view) * _features;

    private uint* ReadRows(HeadView view, int image, int head, TileScratch scratch)
    {
        var rows = scratch.TakeWords(Padded(view) * Words);
        view.ReadRows<T, TVector>(image, head, 0, (int)Padded(view), rows);
        return rows;
    }

    /// <summary>Rows of words along the features → rows of words along the tokens, [count / values in a word, features]; the same where a word is a float.</summary>
    private uint* Paired(uint* rows, int count, TileScratch scratch)
    {
        if (T.PerWord == 1)
        {
            return rows;
        }

        var pairs = scratch.TakeWords((long)count * Words);
        Pair(rows, count, pairs);
        return pairs;
    }

    [MethodImpl(Loop.Alone)]
    private void Pair(uint* rows, int count, uint* pairs)
    {
        if (T.PerWord == 1)
        {
            return;
        }

        var row = (ushort*)rows;
        for (var i = 0; i < count; i += T.PerWord, row += T.PerWord * _features, pairs += _features)
        {
            var c = 0;
            for (; c + Vector128<ushort>.Count <= _features; c += Vector128<ushort>.Count)
            {
                var (one, other) = (Vector256.WidenLower(Vector256.Create(Vector128.Load(row + c), default)), Vector256.WidenLower(Vector256.Create(Vector128.Load(row + _features + c), default)));
                Vector256.Store(one | (other << 16), pairs + c);
            }

            for (; c < _features; c++)
            {
                pairs[c] = row[c] | ((uint)row[_features + c] << 16);
            }
        }
    }

    private static void Copy(float* from, int count, float* to, int length)
    {
        new Span<float>(from, count).CopyTo(new Span<float>(to, count));
        new Span<float>(to + count, length - count).Clear();
    }

    [MethodImpl(Loop.Alone)]
    private void Divide(float* sums, float* powers)
    {
        for (var i = 0; i < Lanes; i += TVector.Count)
        {
            TVector.Store(TVector.Load(sums + i) / TVector.Load(powers + (i % AttentionTile.Rows)), sums + i);
        }
    }

    /// <summary>What the backward pass needs of all queries of a head, filled up with zeros. Words lie along the features in rows, along the queries in pairs.</summary>
    private struct Queries
    {
        public uint* Rows;
        public uint* Pairs;
        public uint* Directions;
        public uint* DirectionPairs;
        public float* Gradients;
        public QueryTotals Totals;
    }

    /// <summary>What a tile of keys works on.</summary>
    private readonly struct KeyTile(TileScratch scratch, int lanes)
    {
        public readonly uint* Keys = scratch.TakeWords(lanes);
        public readonly uint* Values = scratch.TakeWords(lanes);
        public readonly uint* Rows = scratch.TakeWords(lanes);
        public readonly uint* Pairs = scratch.TakeWords(lanes);
        public readonly float* KeySums = scratch.Take(lanes);
        public readonly float* ValueSums = scratch.Take(lanes);
        public readonly float* Scores = scratch.Take(Math.Max(Score, lanes));
        public readonly float* Slopes = scratch.Take(Score);
        private readonly uint* _narrowed = scratch.TakeWords(3 * Score / 2);

        // Words of one float take the place of what they are made from: the less memory, the more of it is in the first-level cache.
        public uint* Weights => T.PerWord == 1 ? (uint*)Scores : _narrowed;

        public uint* Gradients => T.PerWord == 1 ? (uint*)Slopes : _narrowed + (Score / 2);

        public uint* ByQuery => T.PerWord == 1 ? (uint*)Slopes : _narrowed + Score;
    }

    /// <summary>Some queries of a head in each piece.</summary>
    private readonly struct ForwardWork(AttentionKernel<T, TVector> kernel, int heads, HeadView query, HeadView key, HeadView value, HeadView output, float* totals, int parts, int rows) : ITileWork
    {
        public void Do(int work, TileScratch scratch)
        {
            var (image, head, first) = (work / parts / heads, work / parts % heads, work % parts * rows);
            kernel.Forward(image, head, first, Math.Min(query.Tokens, first + rows), query, key, value, output, totals + (2L * (work / parts) * query.Tokens), scratch);
        }
    }

    /// <summary>A head in each piece.</summary>
    private readonly struct BackwardWork(
        AttentionKernel<T, TVector> kernel, int heads, HeadView query, HeadView key, HeadView value, HeadView output, float* totals, HeadView direction, (HeadView Query, HeadView Key, HeadView Value) gradients) : ITileWork
    {
        public void Do(int work, TileScratch scratch) =>
            kernel.Backward(work / heads, work % heads, query, key, value, output, totals + (2L * work * query.Tokens), direction, gradients, scratch);
    }
}
