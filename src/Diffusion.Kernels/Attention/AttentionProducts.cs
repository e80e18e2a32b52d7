namespace Diffusion.Kernels;

/// <summary>The three products of attention on tiles, for one width of heads.</summary>
/// <param name="Scores">scores[j, lane] = Σ_c columns[j, c] · lanes[c, lane].</param>
/// <param name="Sums">sums[c, lane] += Σ_j columns[j, c] · weights[j, lane].</param>
/// <param name="Spread">sums[j, c] += Σ_lane weights[j, lane] · rows[lane, c].</param>
internal sealed record AttentionProducts(TileProduct Scores, TileProduct Sums, TileProduct Spread)
{
    /// <summary>The products for heads of a padded width.</summary>
    /// <typeparam name="T">What words are.</typeparam>
    /// <typeparam name="TVector">What sums are kept in.</typeparam>
    public static AttentionProducts For<T, TVector>(int features)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var rows = AttentionTile.Rows;
        var scores = TileProduct.For<T, TVector>(new TileShape(8, rows, features / T.PerWord, 1, TileStart.Zero));
        var sums = TileProduct.For<T, TVector>(new TileShape(features % 8 == 0 ? 8 : 4, rows, 1, features, TileStart.Sums));
        var spread = TileProduct.For<T, TVector>(new TileShape(features <= 16 ? 16 : features <= 32 ? 8 : 4, features, rows / T.PerWord, 1, TileStart.Sums));
        return new(scores, sums, spread);
    }
}
