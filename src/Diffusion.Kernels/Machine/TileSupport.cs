namespace Diffusion.Kernels;

/// <summary>Whether products on tiles run: by the level in use, and by whether the system lets programs write code.</summary>
internal static class TileSupport
{
    private static readonly Lazy<bool> s_allowsCode = new(static () => TileProduct.For(new TileShape(IsNarrow: false, 8, 16, 16, 1, TileStart.Zero)) is not null);

    /// <summary>Whether tiles run.</summary>
    /// <param name="narrow">With products of bfloat16, or else of float32.</param>
    public static bool Runs(bool narrow) => Processor.Level >= (narrow ? ProcessorLevel.Avx512BFloat16 : ProcessorLevel.Avx512) && s_allowsCode.Value;
}
