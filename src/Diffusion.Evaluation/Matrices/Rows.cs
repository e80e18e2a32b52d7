using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Evaluation;

/// <summary>Operations on rows of float64 numbers whose every result has one order of summation: the same bits on every processor.</summary>
internal static class Rows
{
    /// <summary>The sum of the products, in eight sums that are added at the end.</summary>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var lanes = Vector512<double>.Zero;
        var i = 0;
        for (; i <= a.Length - Vector512<double>.Count; i += Vector512<double>.Count)
        {
            lanes += Vector512.Create(a[i..]) * Vector512.Create(b[i..]);
        }

        var sum = 0.0;
        for (var lane = 0; lane < Vector512<double>.Count; lane++)
        {
            sum += lanes[lane];
        }

        for (; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    /// <summary>y += factor·x.</summary>
    public static void AddScaled(double factor, ReadOnlySpan<double> x, Span<double> y)
    {
        x = x[..y.Length];
        var xs = MemoryMarshal.Cast<double, Vector<double>>(x);
        var ys = MemoryMarshal.Cast<double, Vector<double>>(y);
        for (var i = 0; i < ys.Length; i++)
        {
            ys[i] += xs[i] * factor;
        }

        for (var i = ys.Length * Vector<double>.Count; i < y.Length; i++)
        {
            y[i] += x[i] * factor;
        }
    }

    /// <summary>The Householder reflection I − Scale·v·vᵀ that takes a row to (Alpha, 0, …, 0); the row becomes v. Scale is 0 where nothing has to be done.</summary>
    public static (double Alpha, double Scale) Reflect(Span<double> row)
    {
        var tail = Dot(row[1..], row[1..]);
        if (tail == 0)
        {
            return (row[0], 0);
        }

        var length = Math.Sqrt((row[0] * row[0]) + tail);
        var alpha = row[0] > 0 ? -length : length;
        row[0] -= alpha;
        return (alpha, 2 / ((row[0] * row[0]) + tail));
    }
}
