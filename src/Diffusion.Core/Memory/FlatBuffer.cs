using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Large dense buffers of float32 on the CPU, gone through on as many threads as libtorch uses. Results do not depend on how many those are.</summary>
internal static unsafe class FlatBuffer
{
    private const int Chunk = 1 << 14; // what a thread does at once

    /// <summary>A buffer of zeros, float32, outside of dispose scopes.</summary>
    public static Tensor Create(Device device, params long[] shape)
    {
        using var scope = NewDisposeScope();
        var buffer = empty(shape, dtype: ScalarType.Float32, device: device);
        LargePages.Ask(buffer);
        buffer.zero_();
        return buffer.DetachFromDisposeScope();
    }

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
    /// <param name="fromTheEnd">Whether the last part is done first: what was read last before is still in a cache.</param>
    /// <exception cref="AggregateException">A part threw, with what it threw.</exception>
    public static void OnThreads(int count, Action<int, int> work, bool fromTheEnd = false)
    {
        var parts = (count + Chunk - 1) / Chunk;
        ParallelParts.Run(get_num_threads(), parts, part =>
        {
            var first = (fromTheEnd ? parts - 1 - part : part) * Chunk;
            work(first, Math.Min(Chunk, count - first));
        });
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        var (one, other, third, fourth, i) = (Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero, 0);
        for (; i <= values.Length - (2 * Vector<float>.Count); i += 2 * Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            Vector.Widen(new Vector<float>(values[(i + Vector<float>.Count)..]), out var lowAfter, out var highAfter);
            one = Vector.FusedMultiplyAdd(low, low, one);
            other = Vector.FusedMultiplyAdd(high, high, other);
            third = Vector.FusedMultiplyAdd(lowAfter, lowAfter, third);
            fourth = Vector.FusedMultiplyAdd(highAfter, highAfter, fourth);
        }

        var sum = Vector.Sum(one + other + third + fourth);
        for (; i < values.Length; i++)
        {
            sum += (double)values[i] * values[i];
        }

        return sum;
    }
}
