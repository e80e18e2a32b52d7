namespace Diffusion.Benchmarks;

/// <summary>The number format that a network computes in.</summary>
public enum NumberFormat
{
    /// <summary>Single precision.</summary>
    Fp32 = 0,

    /// <summary>The upper half of single precision.</summary>
    Bf16 = 1,
}
