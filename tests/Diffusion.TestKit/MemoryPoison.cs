using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Fills memory with NaN and frees it, so that what is allocated next and never written reads NaN instead of the zeros of fresh memory.
/// A kernel that uses memory it did not write then shows.
/// </summary>
/// <remarks>The C library keeps freed memory by thread: poison on the thread that runs what is tested, right before it.</remarks>
public static class MemoryPoison
{
    private const long SmallestElements = 1 << 4;
    private const long LargestElements = 1 << 21; // 8 MB of floats
    private const long BytesPerSize = 1L << 20;
    private const int CopiesAtMost = 32;

    [ThreadStatic]
    private static Tensor? t_guard;

    /// <summary>Poisons blocks of 64 bytes to 14 MB: a few of every size, four sizes for each doubling.</summary>
    public static void Spread()
    {
        using var scope = NewDisposeScope();
        // All are held until the end: freed one by one they would be the same block again.
        for (var octave = SmallestElements; octave <= LargestElements; octave *= 2)
        {
            for (var quarter = 4; quarter < 8; quarter++)
            {
                var elements = octave * quarter / 4;
                var copies = Math.Clamp(BytesPerSize / (elements * sizeof(float)), 1, CopiesAtMost);
                for (var i = 0; i < copies; i++)
                {
                    _ = full(elements, float.NaN, ScalarType.Float32, CPU);
                }
            }
        }

        // What is allocated last and stays keeps the heap's end in use, so that the C library does not return it to the system.
        t_guard?.Dispose();
        t_guard = full(SmallestElements, float.NaN, ScalarType.Float32, CPU).DetachFromDisposeScope();
    }
}
