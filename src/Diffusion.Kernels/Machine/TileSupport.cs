namespace Diffusion.Kernels;

/// <summary>Whether products on tiles run: by the level in use, and by whether the system lets programs write code, without which they are slower than libtorch.</summary>
internal static class TileSupport
{
    /// <summary>Whether tiles run.</summary>
    /// <param name="narrow">With products of bfloat16, or else of float32.</param>
    public static bool Runs(bool narrow) => Processor.Level >= (narrow ? ProcessorLevel.Avx512BFloat16 : ProcessorLevel.Avx512) && TileCode.For(narrow) is not null;
}
