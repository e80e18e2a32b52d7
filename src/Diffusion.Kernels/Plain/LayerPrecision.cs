using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>What layers do in bfloat16 (<see cref="MixedPrecision"/>): float32 weights and activations are rounded on the way in, with gradients that are float32 again.</summary>
internal static class LayerPrecision
{
    /// <summary>
    /// Whether a layer with this weight computes in bfloat16 now. Layers that were moved to another type keep computing in that, and on the CPU layers compute in float32 where bfloat16 is slower
    /// (<see cref="Processor.MultipliesBFloat16"/>).
    /// </summary>
    public static bool IsNarrow(Tensor weight) =>
        MixedPrecision.Current == ComputePrecision.BFloat16 && weight.dtype == ScalarType.Float32 && (weight.device_type != TorchSharp.DeviceType.CPU || Processor.MultipliesBFloat16);

    /// <summary>
    /// Whether a layer with this weight is asked for bfloat16, is given it, and computes in float32: what it returns is then rounded to bfloat16 again.
    /// </summary>
    public static bool Widens(Tensor input, Tensor weight) =>
        input.dtype == ScalarType.BFloat16 && weight.dtype == ScalarType.Float32 && MixedPrecision.Current == ComputePrecision.BFloat16 && !IsNarrow(weight);

    /// <summary>The tensor in bfloat16; itself where it is already. A new tensor belongs to the dispose scope.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    public static Tensor? Narrow(Tensor? tensor) => tensor is null || tensor.dtype == ScalarType.BFloat16 ? tensor : tensor.to(ScalarType.BFloat16);

    /// <summary>A weight in bfloat16: <see cref="MixedPrecision.Round"/>.</summary>
    [return: NotNullIfNotNull(nameof(weight))]
    public static Tensor? Rounded(Tensor? weight) => weight is null ? null : MixedPrecision.Round(weight);

    /// <summary>The tensor in the type of a layer's weight; itself where it has it already. A new tensor belongs to the dispose scope.</summary>
    public static Tensor Wide(Tensor tensor, Tensor weight) => tensor.dtype == weight.dtype ? tensor : tensor.to(weight.dtype);
}
