namespace Diffusion;

/// <summary>The type in which a network multiplies and keeps what it computes. Its weights are float32 either way.</summary>
public enum ComputePrecision
{
#pragma warning disable CA1720 // it is the name of a type because it stands for that type
    /// <summary>Float32.</summary>
    Float32,
#pragma warning restore CA1720

    /// <summary>
    /// Bfloat16 where it is safe: convolutions, linear maps and activations, with sums in float32. Statistics of norms, softmax, the time
    /// embedding, the first and the last convolution stay in float32. On a CPU that cannot use bfloat16 (<see cref="DiffusionRuntime.UsesBFloat16"/>) networks compute in float32;
    /// a trainer says so in its log.
    /// </summary>
    BFloat16,
}
