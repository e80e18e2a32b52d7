using System.Buffers;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>All pairs of rows with so many features (the pixels of large images) that a few of them fill the caches: some features at a time. A thread takes 5 MB, whatever the size.</summary>
internal static class WidePairs
{
    /// <summary>Rows of more features are wide: 512×512 grey pixels.</summary>
    public const int MaxNarrow = 1 << 18;

    private const int Slice = 1 << 15; // features at a time

    /// <inheritdoc cref="AllPairs.Visit"/>
    public static void Visit<TPairing>(FeatureRows rows, FeatureRows columns, PairVisitor visitor, CancellationToken cancellationToken)
        where TPairing : struct, IPairing
    {
        ParallelParts.Run(get_num_threads(), (rows.Count + PairTile.Rows - 1) / PairTile.Rows, tile => VisitTile<TPairing>(rows, tile * PairTile.Rows, columns, visitor, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static void VisitTile<TPairing>(FeatureRows rows, int row, FeatureRows columns, PairVisitor visitor, CancellationToken cancellationToken)
        where TPairing : struct, IPairing
    {
        var (left, panel, one) = (ArrayPool<double>.Shared.Rent(PairTile.Rows * Slice), ArrayPool<double>.Shared.Rent(PairTile.Columns * Slice), ArrayPool<double>.Shared.Rent(Slice));
        Span<double> part = stackalloc double[PairTile.Rows * PairTile.Columns];
        Span<double> sums = stackalloc double[PairTile.Rows * PairTile.Columns];
        for (var column = 0; column < columns.Count && !cancellationToken.IsCancellationRequested; column += PairTile.Columns)
        {
            sums.Clear();
            for (var feature = 0; feature < rows.Size; feature += Slice)
            {
                var size = Math.Min(Slice, rows.Size - feature);
                CopyRows(rows, row, feature, left.AsSpan(0, PairTile.Rows * size));
                Pack(columns, column, feature, one.AsSpan(0, size), panel.AsSpan(0, PairTile.Columns * size));
                PairTile.Compute<TPairing>(left.AsSpan(0, PairTile.Rows * size), panel.AsSpan(0, PairTile.Columns * size), part, PairTile.Columns);
                Rows.AddScaled(1, part, sums);
            }

            for (var i = 0; i < Math.Min(PairTile.Rows, rows.Count - row); i++)
            {
                visitor(row + i, column, sums.Slice(i * PairTile.Columns, Math.Min(PairTile.Columns, columns.Count - column)));
            }
        }

        ArrayPool<double>.Shared.Return(one);
        ArrayPool<double>.Shared.Return(panel);
        ArrayPool<double>.Shared.Return(left);
    }

    /// <summary>Some features of the rows of a tile; rows beyond the last are 0.</summary>
    private static void CopyRows(FeatureRows rows, int row, int feature, Span<double> destination)
    {
        destination.Clear();
        var size = destination.Length / PairTile.Rows;
        for (var i = 0; i < Math.Min(PairTile.Rows, rows.Count - row); i++)
        {
            rows.CopyPart(row + i, feature, destination.Slice(i * size, size));
        }
    }

    /// <summary>Some features of the columns of a tile, feature by feature; columns beyond the last are 0.</summary>
    private static void Pack(FeatureRows columns, int column, int feature, Span<double> one, Span<double> panel)
    {
        panel.Clear();
        for (var i = 0; i < Math.Min(PairTile.Columns, columns.Count - column); i++)
        {
            columns.CopyPart(column + i, feature, one);
            for (var d = 0; d < one.Length; d++)
            {
                panel[(d * PairTile.Columns) + i] = one[d];
            }
        }
    }
}
