namespace Diffusion;

/// <summary>How much of the processor this library's own kernels use. Each level includes the ones before it.</summary>
public enum ProcessorLevel
{
    /// <summary>No kernels for the network: its operations are libtorch's. Named <c>plain</c> in settings. The only level on ARM64 and on processors without AVX2.</summary>
    Plain,

    /// <summary>AVX2 and FMA; <c>avx2</c> in settings. Kernels multiply in float32; bfloat16 in memory becomes float32 while it is read.</summary>
    Avx2,

    /// <summary>AVX-512 with its F, DQ, BW and VL parts; <c>avx512</c> in settings. The same with vectors twice as long.</summary>
    Avx512,

    /// <summary>AVX-512 and AVX512_BF16, which multiplies bfloat16; <c>avx512bf16</c> in settings.</summary>
    Avx512BFloat16,
}
