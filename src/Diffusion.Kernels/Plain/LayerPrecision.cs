using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>What layers do in bfloat16 (<see cref="MixedPrecision"/>): activations are rounded on the way in, and float32 weights where products are bfloat16, with gradients that are float32 again.</summary>
internal static class LayerPrecision
{
    /// <summary>
    /// Whether a layer with this weight takes and gives bfloat16 now. Layers that were moved to another type keep computing in that, and on a CPU that neither multiplies bfloat16 nor has kernels that widen
    /// it layers compute in float32.
    /// </summary>
    public static bool IsNarrow(Tensor weight) => MixedPrecision.Current == ComputePrecision.BFloat16 && weight.dtype == ScalarType.Float32 && (weight.device_type != TorchSharp.DeviceType.CPU || IsKept);

    /// <summary>Whether what enters a computation has to become float32 first: bfloat16 is asked for and given, and this processor cannot use it.</summary>
    public static bool Widens(Tensor input) =>
        input.dtype == ScalarType.BFloat16 && MixedPrecision.Current == ComputePrecision.BFloat16 && input.device_type == TorchSharp.DeviceType.CPU && !IsKept;

    /// <summary>What libtorch multiplies these values in, where weights are float32: float32 on a CPU on which its products of bfloat16 are slower (<see cref="Processor.MultipliesBFloat16"/>).</summary>
    public static ScalarType OfProducts(Tensor values) =>
        values.dtype == ScalarType.BFloat16 && values.device_type == TorchSharp.DeviceType.CPU && !Processor.MultipliesBFloat16 ? ScalarType.Float32 : values.dtype;

    /// <summary>What enters a layer with this weight, in the type that it computes in. A new tensor belongs to the dispose scope.</summary>
    public static Tensor Entering(Tensor input, Tensor weight) => IsNarrow(weight) ? Narrow(input) : Widens(input) ? Wide(input, weight) : input;

    /// <summary>The tensor in bfloat16; itself where it is already. A new tensor belongs to the dispose scope.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    public static Tensor? Narrow(Tensor? tensor) => tensor is null || tensor.dtype == ScalarType.BFloat16 ? tensor : tensor.to(ScalarType.BFloat16);

    /// <summary>A weight in bfloat16: <see cref="MixedPrecision.Round"/>.</summary>
    [return: NotNullIfNotNull(nameof(weight))]
    public static Tensor? Rounded(Tensor? weight) => weight is null ? null : MixedPrecision.Round(weight);

    /// <summary>The tensor in the type of a layer's weight; itself where it has it already. A new tensor belongs to the dispose scope.</summary>
    public static Tensor Wide(Tensor tensor, Tensor weight) => tensor.dtype == weight.dtype ? tensor : tensor.to(weight.dtype);

    private static bool IsKept => Processor.MultipliesBFloat16 || TileSupport.Runs;
}
