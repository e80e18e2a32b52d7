using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Whether libtorch's own convolution is right on this machine, found out once a process and <see cref="ConvolutionFamily"/>, whatever the size of the images: the same layer takes the same way for all of them.
/// It takes milliseconds, and neither the global generator nor gradients of the caller notice.
/// </summary>
internal static class ConvolutionCheck
{
    private static readonly ConcurrentDictionary<ConvolutionFamily, bool> s_known = new();
    private static Assumption? s_assumed;

    /// <summary>How many families were checked so far.</summary>
    internal static int Known => s_known.Count;

    /// <summary>Whether it is. A check that fails is no answer: the next call checks again.</summary>
    /// <param name="input">Images whose type and memory layout count.</param>
    /// <param name="shape">Of the convolution; the kernel is larger than one pixel.</param>
    /// <param name="transposed">Whether it is a transposed one.</param>
    /// <param name="needed">What has to be right.</param>
    public static bool IsRight(Tensor input, in ConvolutionShape shape, bool transposed, ConvolutionResults needed)
    {
        if (s_assumed is { } assumed)
        {
            return assumed.Right;
        }

        var family = new ConvolutionFamily(shape, transposed, needed, MemoryLayout.IsChannelsLast(input), input.dtype);
        return s_known.TryGetValue(family, out var right) ? right : s_known.GetOrAdd(family, family.IsRight(LibtorchConvolution.Run)); // threads that ask at once may all compute it, and take the first answer
    }

    /// <summary>For tests: gives an answer without a check, in the whole process, until the result is disposed.</summary>
    internal static IDisposable Assume(bool right) => s_assumed = new Assumption(right, s_assumed);

    private sealed class Assumption(bool right, Assumption? before) : IDisposable
    {
        public bool Right => right;

        public void Dispose() => s_assumed = before;
    }
}
