namespace Diffusion.Kernels;

/// <summary>Whether products on tiles run: by the level in use, and by whether the system lets programs write code, without which they are slower than libtorch.</summary>
internal static class TileSupport
{
    /// <summary>Whether tiles run, with products of float32 at least.</summary>
    public static bool Runs => Processor.Level >= ProcessorLevel.Avx2 && TileCode.For(Processor.Level >= ProcessorLevel.Avx512 ? ProcessorLevel.Avx512 : ProcessorLevel.Avx2) is not null;

    /// <summary>Whether products of bfloat16 run, too.</summary>
    public static bool MultipliesNarrow => Processor.Level >= ProcessorLevel.Avx512BFloat16 && TileCode.For(ProcessorLevel.Avx512BFloat16) is not null;

    /// <summary>The code of products.</summary>
    /// <typeparam name="T">What words are.</typeparam>
    /// <typeparam name="TVector">What sums are kept in.</typeparam>
    /// <returns><see langword="null"/> where there is none.</returns>
    public static TileCode? Code<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> =>
        TileCode.For(T.PerWord > 1 ? ProcessorLevel.Avx512BFloat16 : TVector.Count == Float32x16.Count ? ProcessorLevel.Avx512 : ProcessorLevel.Avx2);
}
