using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Fills memory with NaN and frees it, so that whatever reads memory that it never wrote reads NaN. The bits are all ones, which is NaN
/// in float64, float32, float16 and bfloat16 alike. What the allocator hands out next is its own affair: this makes a fault likely to show,
/// not certain.
/// </summary>
internal static class MemoryPoison
{
    private const long SmallestBlock = 64;
    private const long LargestBlock = 8L << 20;
    private const int BlocksOfEachSize = 2;

    /// <summary>Poisons blocks of every power of two up to a size, and blocks of exactly the given sizes.</summary>
    /// <param name="sizes">The sizes in bytes of the tensors that the code under test will make.</param>
    public static void Fill(params ReadOnlySpan<long> sizes)
    {
        using var scope = NewDisposeScope();
        long largest = SmallestBlock;
        foreach (var size in sizes)
        {
            largest = Math.Max(largest, size);
            Blocks(size);
        }

        // Allocators keep freed blocks sorted by size, and split and merge them: every size gets its share.
        for (var size = SmallestBlock; size <= Math.Min(2 * largest, LargestBlock); size *= 2)
        {
            Blocks(size);
        }
    }

    private static void Blocks(long bytes)
    {
        for (var i = 0; i < BlocksOfEachSize; i++)
        {
            _ = full([Math.Max(1, bytes / sizeof(int))], Scalars.MinusOne, dtype: ScalarType.Int32, device: CPU);
        }
    }
}
