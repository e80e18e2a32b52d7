using System.Buffers;

namespace Diffusion.Evaluation;

/// <summary>Rows of a set in the order in which tiles read them: panels of <see cref="PairTile.Columns"/> rows, feature by feature. Belongs to one computation.</summary>
internal sealed class PackedColumns : IDisposable
{
    private const int MaxNumbers = 1 << 22; // 32 MB
    private const int BlockNumbers = 1 << 15; // 256 KB: what the second cache keeps
    private readonly FeatureRows _rows;
    private readonly double[] _values;

    /// <summary>Memory for some of the rows at a time.</summary>
    public PackedColumns(FeatureRows rows)
    {
        _rows = rows;
        Capacity = Math.Min(Panels(rows.Count), Math.Max(1, MaxNumbers / PairTile.Columns / rows.Size)) * PairTile.Columns;
        BlockPanels = Math.Max(1, BlockNumbers / (rows.Size * PairTile.Columns));
        _values = ArrayPool<double>.Shared.Rent(checked(Capacity * rows.Size));
    }

    /// <summary>How many rows fit, a multiple of a panel.</summary>
    public int Capacity { get; }

    /// <summary>How many panels a block has: a function of the number of features alone.</summary>
    public int BlockPanels { get; }

    /// <summary>The first row that is packed.</summary>
    public int First { get; private set; }

    /// <summary>How many rows are packed.</summary>
    public int Count { get; private set; }

    /// <summary>The number of panels that hold <paramref name="count"/> rows.</summary>
    public static int Panels(int count) => (count + PairTile.Columns - 1) / PairTile.Columns;

    /// <summary>Packs the rows from <paramref name="first"/> on.</summary>
    public void Pack(int first, int threads)
    {
        (First, Count) = (first, Math.Min(Capacity, _rows.Count - first));
        ParallelParts.Run(threads, Panels(Count), PackPanel);
    }

    /// <summary>A panel, [D, <see cref="PairTile.Columns"/>]; columns beyond the last row are 0.</summary>
    public Span<double> Panel(int number) => _values.AsSpan(number * _rows.Size * PairTile.Columns, _rows.Size * PairTile.Columns);

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<double>.Shared.Return(_values);

    private void PackPanel(int number)
    {
        var panel = Panel(number);
        var size = _rows.Size;
        var count = Math.Min(PairTile.Columns, Count - (number * PairTile.Columns));
        var values = ArrayPool<double>.Shared.Rent(size);
        panel.Clear();
        for (var row = 0; row < count; row++)
        {
            _rows.Copy(First + (number * PairTile.Columns) + row, 1, values);
            for (var d = 0; d < size; d++)
            {
                panel[(d * PairTile.Columns) + row] = values[d];
            }
        }

        ArrayPool<double>.Shared.Return(values);
    }
}
