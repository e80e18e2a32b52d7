using System.Numerics;
using System.Runtime.InteropServices;

namespace Diffusion.Imaging;

/// <summary>The rows of a result while the rows of the source are added to them one after another; a row that is whole is handed on, and its memory used again.</summary>
internal sealed class RowSums
{
    private readonly int _length;
    private readonly FilterWeights _rows;
    private readonly Action<int, float[]> _whole;
    private readonly Queue<float[]> _sums = new(); // of the rows from _oldest on
    private readonly Stack<float[]> _free = new();
    private int _oldest;

    /// <summary>Begins.</summary>
    /// <param name="length">The length of a row.</param>
    /// <param name="rows">The weights of the source's rows.</param>
    /// <param name="whole">Called with every row of the result and its sum, in their order.</param>
    public RowSums(int length, FilterWeights rows, Action<int, float[]> whole) => (_length, _rows, _whole) = (length, rows, whole);

    /// <summary>Adds a row of the source, the next one, to those of the result that it has a share in.</summary>
    public void Add(int y, float[] row)
    {
        while (_rows.First(_oldest) + _rows[_oldest].Length <= y)
        {
            HandOn();
        }

        var i = _oldest;
        foreach (var sum in _sums)
        {
            AddScaled(sum, row, _rows[i][y - _rows.First(i)]);
            i++;
        }

        for (; i < _rows.Count && _rows.First(i) <= y; i++)
        {
            var sum = Empty();
            AddScaled(sum, row, _rows[i][y - _rows.First(i)]);
            _sums.Enqueue(sum);
        }
    }

    /// <summary>Hands on the rows that are left.</summary>
    public void Complete()
    {
        while (_sums.Count > 0)
        {
            HandOn();
        }
    }

    private void HandOn()
    {
        var sum = _sums.Dequeue();
        _whole(_oldest, sum);
        _free.Push(sum);
        _oldest++;
    }

    private float[] Empty()
    {
        if (!_free.TryPop(out var sum))
        {
            return new float[_length];
        }

        Array.Clear(sum);
        return sum;
    }

    private static void AddScaled(Span<float> sum, ReadOnlySpan<float> row, float weight)
    {
        var sums = MemoryMarshal.Cast<float, Vector<float>>(sum);
        var values = MemoryMarshal.Cast<float, Vector<float>>(row);
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] += values[i] * weight;
        }

        for (var i = sums.Length * Vector<float>.Count; i < sum.Length; i++)
        {
            sum[i] += row[i] * weight;
        }
    }
}
