using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Where the values of tensors on the CPU lie. Pointers are valid in a stretch of code that begins with <c>using var pointers = TensorMemory.Use();</c>: the tensors that they point into are kept alive
/// until its end, so that the collector, which does not see pointers, cannot free them. Outside of one there are no pointers.
/// </summary>
internal static unsafe class TensorMemory
{
    [ThreadStatic]
    private static List<Tensor>? t_kept;

    [ThreadStatic]
    private static int t_depth;

    /// <summary>Begins a stretch of code that uses pointers, on this thread.</summary>
    public static Pointers Use()
    {
        t_depth++;
        return default;
    }

    /// <summary>The first value of a dense tensor, which nobody may dispose while the pointer is used.</summary>
    public static T* Of<T>(Tensor tensor)
        where T : unmanaged
    {
        if (t_depth == 0)
        {
            throw new InvalidOperationException($"Pointers into tensors are used between {nameof(TensorMemory)}.{nameof(Use)} and its end.");
        }

        (t_kept ??= []).Add(tensor);
        fixed (byte* data = tensor.bytes) // native memory, which does not move
        {
            return (T*)data;
        }
    }

    /// <summary>The end of the stretch.</summary>
    public readonly ref struct Pointers
    {
        /// <summary>Lets the tensors go, at the end of the outermost stretch.</summary>
#pragma warning disable CA1822 // using calls it on a value
        public void Dispose()
#pragma warning restore CA1822
        {
            if (--t_depth == 0)
            {
                t_kept?.Clear();
            }
        }
    }
}
