using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;

namespace Diffusion.Models;

/// <summary>
/// softmax(q·kᵀ/√d)·v and its gradients, tile by tile on the CPU, each head in one piece of work. A row's result depends on its own head
/// alone and not on the number of threads.
/// </summary>
/// <remarks>
/// FlashAttention, arXiv:2205.14135, algorithms 1 and 4: tiles, a running softmax, scores computed again in the backward pass.
/// </remarks>
internal sealed unsafe class AttentionKernel(int images, int heads, int width)
{
    private const float Log2E = 1.44269504f;
    private const int ForwardRows = 256; // of a piece of work
    private readonly int _features = AttentionTile.Padded(width);
    private readonly float _scale = (float)(1 / Math.Sqrt(width));

    private int Lanes => _features * AttentionTile.Rows;

    /// <summary>The output, and of each query the largest score, to base 2, and one over the sum of its powers.</summary>
    /// <param name="query">[B, N, …].</param>
    /// <param name="key">[B, L, …].</param>
    /// <param name="value">[B, L, …].</param>
    /// <param name="output">[B, N, …]; written.</param>
    /// <param name="totals">[B, heads, 2, N]; written.</param>
    public void Forward(HeadView query, HeadView key, HeadView value, HeadView output, float* totals)
    {
        var parts = (query.Tokens + ForwardRows - 1) / ForwardRows;
        parts = images * heads >= 4 * torch.get_num_threads() ? 1 : parts;
        var rows = (((query.Tokens + parts - 1) / parts) + AttentionTile.Rows - 1) / AttentionTile.Rows * AttentionTile.Rows;
        Run(images * heads * parts, (2 * Columns(key)) + (4 * Lanes) + Score + (2 * AttentionTile.Rows), (work, scratch) =>
        {
            var (image, head, first) = (work / parts / heads, work / parts % heads, work % parts * rows);
            Forward(image, head, first, Math.Min(query.Tokens, first + rows), query, key, value, output, totals + (2L * (work / parts) * query.Tokens), scratch);
        });
    }

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="query">[B, N, …].</param>
    /// <param name="key">[B, L, …].</param>
    /// <param name="value">[B, L, …].</param>
    /// <param name="output">[B, N, …].</param>
    /// <param name="totals">[B, heads, 2, N], from the forward pass.</param>
    /// <param name="direction">[B, N, …].</param>
    /// <param name="gradients">Of query, key and value; written.</param>
    public void Backward(HeadView query, HeadView key, HeadView value, HeadView output, float* totals, HeadView direction, (HeadView Query, HeadView Key, HeadView Value) gradients)
    {
        var size = (3 * Columns(query)) + (3 * Padded(query)) + (5 * Lanes) + (2 * Score);
        Run(images * heads, size, (work, scratch) =>
        {
            var packed = new Packed
            {
                Queries = Read(query, work, scratch),
                Directions = Read(direction, work, scratch),
                QueryGradients = scratch.Take(Columns(query)),
                Maxima = scratch.Take(Padded(query)),
                Shares = scratch.Take(Padded(query)),
                Inner = scratch.Take(Padded(query)),
            };
            Scale(packed.Queries, Columns(query), _scale * Log2E);
            new Span<float>(packed.Maxima, (int)Padded(query)).Clear();
            new Span<float>(packed.Shares, (int)Padded(query)).Clear(); // tokens that are not there have no weight
            new Span<float>(packed.Inner, (int)Padded(query)).Clear();
            new Span<float>(totals + (2L * work * query.Tokens), query.Tokens).CopyTo(new Span<float>(packed.Maxima, query.Tokens));
            new Span<float>(totals + (((2L * work) + 1) * query.Tokens), query.Tokens).CopyTo(new Span<float>(packed.Shares, query.Tokens));
            InnerProducts(work, output, query.Tokens, packed);
            new Span<float>(packed.QueryGradients, (int)Columns(query)).Clear();
            var tile = new Tile(scratch, Lanes);
            for (var first = 0; first < key.Tokens; first += AttentionTile.Rows)
            {
                Gradients(work, first, key, value, (int)Padded(query), gradients.Key, gradients.Value, packed, tile);
            }

            gradients.Query.Write(work / heads, work % heads, _scale, packed.QueryGradients);
        });
    }

    /// <summary>D of every query: the inner product of its output and its direction.</summary>
    private void InnerProducts(int work, HeadView output, int queries, Packed packed)
    {
        output.Read(work / heads, work % heads, 0, queries, packed.QueryGradients); // not used for anything else yet
        for (var i = 0; i < queries; i++)
        {
            var product = 0f;
            for (var c = 0; c < _features; c++)
            {
                product += packed.QueryGradients[((long)i * _features) + c] * packed.Directions[((long)i * _features) + c];
            }

            packed.Inner[i] = product;
        }
    }

    /// <summary>A tile of keys against all queries: dK = dSᵀ·Q, dV = Pᵀ·dO, and its share of dQ = dS·K.</summary>
    private void Gradients(int work, int first, HeadView key, HeadView value, int queries, HeadView keyGradient, HeadView valueGradient, Packed packed, Tile tile)
    {
        var (image, head) = (work / heads, work % heads);
        value.ReadLanes(image, head, first, 1, tile.Others, tile.Rows);
        key.ReadLanes(image, head, first, 1, tile.Lanes, tile.Rows); // and the rows stay
        new Span<float>(tile.Sums, Lanes).Clear();
        new Span<float>(tile.OtherSums, Lanes).Clear();
        for (var j = 0; j < queries; j += AttentionTile.Columns)
        {
            var (count, at) = (Math.Min(AttentionTile.Columns, queries - j), (long)j * _features);
            AttentionTile.Products(tile.Lanes, packed.Queries + at, count, _features, tile.Scores);
            AttentionTile.Products(tile.Others, packed.Directions + at, count, _features, tile.Slopes);
            AttentionSlopes.Apply(tile.Scores, tile.Slopes, count, packed.Maxima + j, packed.Shares + j, packed.Inner + j);
            AttentionTile.Accumulate(tile.Slopes, packed.Queries + at, count, _features, tile.Sums);
            AttentionTile.Accumulate(tile.Scores, packed.Directions + at, count, _features, tile.OtherSums);
            AttentionTile.Spread(tile.Slopes, tile.Rows, count, _features, packed.QueryGradients + at);
        }

        keyGradient.WriteLanes(image, head, first, 1 / Log2E, tile.Sums); // the scale is in the queries already
        valueGradient.WriteLanes(image, head, first, 1, tile.OtherSums);
    }

    private const int Score = AttentionTile.Columns * AttentionTile.Rows;

    private static long Padded(HeadView view) => (view.Tokens + AttentionTile.Rows - 1) / AttentionTile.Rows * AttentionTile.Rows;

    private float* Read(HeadView view, int work, AttentionScratch scratch)
    {
        var rows = scratch.Take(Columns(view));
        view.Read(work / heads, work % heads, 0, (int)Padded(view), rows);
        return rows;
    }

    private long Columns(HeadView view) => Padded(view) * _features;

    private void Forward(int image, int head, int first, int last, HeadView query, HeadView key, HeadView value, HeadView output, float* totals, AttentionScratch scratch)
    {
        float* keys = scratch.Take(Columns(key)), values = scratch.Take(Columns(key));
        key.Read(image, head, 0, (int)Padded(key), keys);
        value.Read(image, head, 0, (int)Padded(key), values);
        float* lanes = scratch.Take(Lanes), sums = scratch.Take(Lanes), rows = scratch.Take(Lanes), scores = scratch.Take(Score);
        float* maxima = scratch.Take(AttentionTile.Rows), powers = scratch.Take(AttentionTile.Rows);
        for (; first < last; first += AttentionTile.Rows)
        {
            query.ReadLanes(image, head, first, _scale * Log2E, lanes, rows);
            new Span<float>(sums, Lanes).Clear();
            new Span<float>(powers, AttentionTile.Rows).Clear();
            new Span<float>(maxima, AttentionTile.Rows).Fill(float.NegativeInfinity);
            for (var j = 0; j < key.Tokens; j += AttentionTile.Columns)
            {
                var count = Math.Min(AttentionTile.Columns, key.Tokens - j);
                AttentionTile.Products(lanes, keys + ((long)j * _features), AttentionTile.Padded(count), _features, scores);
                AttentionTile.Softmax(scores, count, maxima, powers, sums, _features);
                AttentionTile.Accumulate(scores, values + ((long)j * _features), count, _features, sums);
            }

            Divide(sums, powers);
            output.WriteLanes(image, head, first, 1, sums);
            for (var i = 0; i < Math.Min(AttentionTile.Rows, query.Tokens - first); i++)
            {
                totals[first + i] = maxima[i];
                totals[query.Tokens + first + i] = 1 / powers[i];
            }
        }
    }

    private void Divide(float* sums, float* powers)
    {
        for (var i = 0; i < Lanes; i++)
        {
            sums[i] /= powers[i % AttentionTile.Rows];
        }
    }

    private static void Scale(float* values, long count, float factor)
    {
        for (long i = 0; i < count; i++)
        {
            values[i] *= factor;
        }
    }

    /// <summary>A head's tokens as rows of floats, filled up with zeros, and three numbers for each query.</summary>
    private struct Packed
    {
        public float* Queries;
        public float* Directions;
        public float* QueryGradients;
        public float* Maxima;
        public float* Shares;
        public float* Inner;
    }

    /// <summary>What a tile works on.</summary>
    private readonly struct Tile(AttentionScratch scratch, int lanes)
    {
        public readonly float* Lanes = scratch.Take(lanes);
        public readonly float* Others = scratch.Take(lanes);
        public readonly float* Sums = scratch.Take(lanes);
        public readonly float* OtherSums = scratch.Take(lanes);
        public readonly float* Rows = scratch.Take(lanes);
        public readonly float* Scores = scratch.Take(Score);
        public readonly float* Slopes = scratch.Take(Score);
    }

    private static void Run(int pieces, long floats, Action<int, AttentionScratch> work)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = torch.get_num_threads() };
        Parallel.For(
            0,
            pieces,
            options,
            () => new AttentionScratch(floats),
            (piece, _, scratch) =>
            {
                scratch.Reset();
                work(piece, scratch);
                return scratch;
            },
            scratch => scratch.Dispose());
    }
}
