namespace Diffusion.Benchmarks;

/// <summary>What a measurement should come to at each level of the processor; <see langword="null"/> for no goal.</summary>
/// <param name="Avx512BFloat16">At <see cref="ProcessorLevel.Avx512BFloat16"/>.</param>
/// <param name="Avx512">At <see cref="ProcessorLevel.Avx512"/>.</param>
/// <param name="Avx2">At <see cref="ProcessorLevel.Avx2"/>.</param>
/// <param name="Plain">At <see cref="ProcessorLevel.Plain"/>.</param>
internal sealed record Bounds(double? Avx512BFloat16, double? Avx512 = null, double? Avx2 = null, double? Plain = null)
{
    /// <summary>No goal at any level.</summary>
    public static Bounds None { get; } = new(Avx512BFloat16: null);

    /// <summary>The bound at a level.</summary>
    public double? At(ProcessorLevel level) => level switch
    {
        ProcessorLevel.Avx512BFloat16 => Avx512BFloat16,
        ProcessorLevel.Avx512 => Avx512,
        ProcessorLevel.Avx2 => Avx2,
        _ => Plain,
    };
}
