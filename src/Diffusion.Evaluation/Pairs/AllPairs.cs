using System.Buffers;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// A number for each pair of a row of one set and a row of another, in blocks: the whole matrix is never in memory. In float64; every number is the same whatever the number of threads, and
/// so is whatever is added up by row. libtorch's matrix products promise neither.
/// </summary>
internal static class AllPairs
{
    private const int MaxPartRows = 64; // a multiple of PairTile.Rows
    private const int MaxPartNumbers = 1 << 20; // 8 MB

    /// <summary>Visits every pair.</summary>
    /// <typeparam name="TPairing">What of each pair.</typeparam>
    /// <param name="rows">One set.</param>
    /// <param name="columns">Another, or the same, with equally many features.</param>
    /// <param name="visitor">Takes the values.</param>
    /// <param name="cancellationToken">Checked every few rows.</param>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public static void Visit<TPairing>(FeatureRows rows, FeatureRows columns, PairVisitor visitor, CancellationToken cancellationToken)
        where TPairing : struct, IPairing
    {
        if (rows.Size > WidePairs.MaxNarrow)
        {
            WidePairs.Visit<TPairing>(rows, columns, visitor, cancellationToken);
            return;
        }

        var (threads, partRows) = (get_num_threads(), PartRows(rows.Size));
        using var packed = new PackedColumns(columns);
        for (var first = 0; first < columns.Count; first += packed.Capacity)
        {
            packed.Pack(first, threads);
            ParallelParts.Run(threads, (rows.Count + partRows - 1) / partRows, part =>
            {
                if (!cancellationToken.IsCancellationRequested)
                {
                    VisitPart<TPairing>(rows, (part * partRows, Math.Min(partRows, rows.Count - (part * partRows))), packed, visitor);
                }
            });
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Visits the squared distance of every pair. Of 8-bit values ‖x‖² + ‖y‖² − 2⟨x, y⟩ is exact, too, and faster than the sum over the differences.</summary>
    /// <param name="rows">One set.</param>
    /// <param name="columns">Another, or the same, with equally many features.</param>
    /// <param name="visitor">Takes the squared distances.</param>
    /// <param name="cancellationToken">Checked every few rows.</param>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public static void VisitDistances(FeatureRows rows, FeatureRows columns, PairVisitor visitor, CancellationToken cancellationToken)
    {
        if (!rows.IsEightBit || !columns.IsEightBit)
        {
            Visit<SquaredDistances>(rows, columns, visitor, cancellationToken);
            return;
        }

        var (rowNorms, columnNorms) = (rows.SquaredNorms(), columns.SquaredNorms());
        Visit<Products>(rows, columns, Visit, cancellationToken);

        void Visit(int row, int first, Span<double> values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = rowNorms[row] + columnNorms[first + i] - (2 * values[i]);
            }

            visitor(row, first, values);
        }
    }

    /// <summary>How many rows a thread takes at a time: fewer of large ones.</summary>
    private static int PartRows(int size) => Math.Clamp(MaxPartNumbers / size / PairTile.Rows * PairTile.Rows, PairTile.Rows, MaxPartRows);

    private static void VisitPart<TPairing>(FeatureRows rows, (int First, int Count) part, PackedColumns packed, PairVisitor visitor)
        where TPairing : struct, IPairing
    {
        var (first, count) = part;
        var padded = (count + PairTile.Rows - 1) / PairTile.Rows * PairTile.Rows;
        var features = ArrayPool<double>.Shared.Rent(padded * rows.Size);
        var values = ArrayPool<double>.Shared.Rent(PairTile.Rows * packed.BlockPanels * PairTile.Columns);
        rows.Copy(first, count, features);
        features.AsSpan(count * rows.Size, (padded - count) * rows.Size).Clear();
        for (var (panel, panels) = (0, PackedColumns.Panels(packed.Count)); panel < panels; panel += packed.BlockPanels)
        {
            var block = (First: panel, End: Math.Min(panels, panel + packed.BlockPanels));
            for (var row = 0; row < count; row += PairTile.Rows)
            {
                VisitRows<TPairing>(features.AsSpan(row * rows.Size, PairTile.Rows * rows.Size), (first + row, Math.Min(PairTile.Rows, count - row)), packed, block, values, visitor);
            }
        }

        ArrayPool<double>.Shared.Return(values);
        ArrayPool<double>.Shared.Return(features);
    }

    /// <summary>The rows of a tile with a block of panels.</summary>
    private static void VisitRows<TPairing>(ReadOnlySpan<double> features, (int First, int Count) rows, PackedColumns packed, (int First, int End) panels, Span<double> values, PairVisitor visitor)
        where TPairing : struct, IPairing
    {
        var stride = packed.BlockPanels * PairTile.Columns;
        for (var panel = panels.First; panel < panels.End; panel++)
        {
            PairTile.Compute<TPairing>(features, packed.Panel(panel), values[((panel - panels.First) * PairTile.Columns)..], stride);
        }

        var column = panels.First * PairTile.Columns;
        var count = Math.Min(packed.Count, panels.End * PairTile.Columns) - column;
        for (var row = 0; row < rows.Count; row++)
        {
            visitor(rows.First + row, packed.First + column, values.Slice(row * stride, count));
        }
    }
}
