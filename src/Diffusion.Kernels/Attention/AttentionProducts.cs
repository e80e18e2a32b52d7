using System.Collections.Concurrent;

namespace Diffusion.Kernels;

/// <summary>The three products of attention on tiles, for one width of heads.</summary>
/// <param name="Scores">scores[j, lane] = Σ_c columns[j, c] · lanes[c, lane].</param>
/// <param name="Sums">sums[c, lane] += Σ_j columns[j, c] · weights[j, lane].</param>
/// <param name="Spread">sums[j, c] += Σ_lane weights[j, lane] · rows[lane, c].</param>
internal sealed record AttentionProducts(TileProduct Scores, TileProduct Sums, TileProduct Spread)
{
    private static readonly ConcurrentDictionary<(bool Narrow, int Features), AttentionProducts> s_made = new();

    /// <summary>The products for heads of a padded width.</summary>
    public static AttentionProducts For<T>(int features)
        where T : ITileFormat => s_made.GetOrAdd((T.PerWord > 1, features), key => Make(key.Narrow, key.Features, T.PerWord));

    private static AttentionProducts Make(bool narrow, int features, int perWord)
    {
        var rows = AttentionTile.Rows;
        var scores = TileProduct.For(new TileShape(narrow, 8, rows, features / perWord, 1, TileStart.Zero));
        var sums = TileProduct.For(new TileShape(narrow, features % 8 == 0 ? 8 : 4, rows, 1, features, TileStart.Sums));
        var spread = TileProduct.For(new TileShape(narrow, features <= 16 ? 16 : features <= 32 ? 8 : 4, features, rows / perWord, 1, TileStart.Sums));
        return new(scores, sums, spread);
    }
}
