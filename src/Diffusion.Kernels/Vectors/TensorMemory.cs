using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Where the values of a tensor on the CPU lie.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first value of a dense tensor, which must stay alive while the pointer is used.</summary>
    public static T* Of<T>(Tensor tensor)
        where T : unmanaged
    {
        fixed (byte* data = tensor.bytes) // native memory, which does not move
        {
            return (T*)data;
        }
    }
}
