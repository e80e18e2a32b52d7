using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Large dense buffers of float32 on the CPU, gone through on as many threads as libtorch uses. Results do not depend on how many those are.</summary>
internal static unsafe class FlatBuffer
{
    private const int Chunk = 1 << 14; // what a thread does at once

    /// <summary>Whether a buffer can be handled.</summary>
    public static bool Handles(Tensor values) => values.device_type == TorchSharp.DeviceType.CPU && values.numel() <= int.MaxValue / sizeof(float);

    /// <summary>Where the first value lies, while the tensor is alive.</summary>
    public static float* Pointer(Tensor values)
    {
        fixed (byte* data = values.bytes) // native memory: it does not move
        {
            return (float*)data;
        }
    }

    /// <summary>The Euclidean norm, added up in float64.</summary>
    public static double Norm(Tensor values)
    {
        var count = (int)values.numel();
        var (start, squares) = ((nint)Pointer(values), new double[(count + Chunk - 1) / Chunk]);
        OnThreads(count, (first, length) => squares[first / Chunk] = SumOfSquares(new((float*)start + first, length)));
        return Math.Sqrt(squares.Sum());
    }

    /// <summary>Runs work on all parts of a buffer.</summary>
    /// <param name="count">The length of the buffer.</param>
    /// <param name="work">Does the part with a first index and a length.</param>
    /// <exception cref="AggregateException">A part threw, with what it threw.</exception>
    public static void OnThreads(int count, Action<int, int> work) => ParallelParts.Run(
        get_num_threads(),
        (count + Chunk - 1) / Chunk,
        chunk => work(chunk * Chunk, Math.Min(Chunk, count - (chunk * Chunk))));

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        var (one, other, i) = (Vector<double>.Zero, Vector<double>.Zero, 0);
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            one += low * low;
            other += high * high;
        }

        var sum = Vector.Sum(one + other);
        for (; i < values.Length; i++)
        {
            sum += (double)values[i] * values[i];
        }

        return sum;
    }
}
