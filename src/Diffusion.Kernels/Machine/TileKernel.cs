namespace Diffusion.Kernels;

/// <summary>The forms of an operation on tiles, of which one is for the level in use (<see cref="Processor.Level"/>).</summary>
/// <typeparam name="TKernel">The operation.</typeparam>
internal static class TileKernel<TKernel>
    where TKernel : class, ITileKernel<TKernel>
{
    private static readonly TKernel s_floats16 = TKernel.Make<Float32Tile, Float32x16>();
    private static readonly TKernel s_floats8 = TKernel.Make<Float32Tile, Float32x8>();
    private static readonly TKernel s_pairs = TKernel.Make<BFloat16Tile, Float32x16>();

    /// <summary>The form for products of a type.</summary>
    /// <param name="multipliesNarrow">Whether products are of bfloat16 (<see cref="TileSupport.MultipliesNarrow"/>), or else of floats.</param>
    public static TKernel For(bool multipliesNarrow) => multipliesNarrow ? s_pairs : Processor.Level >= ProcessorLevel.Avx512 ? s_floats16 : s_floats8;
}
