namespace Diffusion.Kernels;

/// <summary>The three products of attention on tiles, for one width of heads.</summary>
/// <param name="Scores">scores[j, lane] = Σ_c columns[j, c] · lanes[c, lane].</param>
/// <param name="Sums">sums[c, lane] += Σ_j columns[j, c] · weights[j, lane].</param>
/// <param name="Spread">sums[j, c] += Σ_lane weights[j, lane] · rows[lane, c], for <paramref name="SpreadLanes"/> of the c.</param>
/// <param name="SpreadLanes">A divisor of the width.</param>
internal sealed record AttentionProducts(TileProduct Scores, TileProduct Sums, TileProduct Spread, int SpreadLanes)
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
        var lanes = features <= 64 ? features : features % 64 == 0 ? 64 : features % 48 == 0 ? 48 : features % 32 == 0 ? 32 : 16;
        var shape = new TileShape(lanes <= 16 ? 16 : lanes <= 32 ? 8 : 4, lanes, rows / T.PerWord, 1, TileStart.Sums) { ColumnStep = features, SumStep = features };
        return new(scores, sums, TileProduct.For<T, TVector>(shape), lanes);
    }
}
