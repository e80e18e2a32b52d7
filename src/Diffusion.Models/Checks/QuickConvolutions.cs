using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The convolutions of the quick check: one or two of every kind that was seen to be wrong in libtorch 2.10 (docs/decisions/0003) and the
/// ones that U-Nets are made of, small.
/// </summary>
internal static class QuickConvolutions
{
    private static readonly (bool Transposed, int Kernel, int Stride, int Padding, int In, int Out)[] s_shapes =
    [
        (false, 3, 1, 1, 1, 64),   // first and last layers
        (false, 3, 1, 1, 3, 32),
        (false, 3, 1, 1, 64, 1),
        (false, 3, 1, 1, 20, 24),  // neither multiples of 16
        (false, 3, 1, 1, 64, 64),
        (false, 3, 1, 1, 48, 112), // multiples of 16, not of 32
        (false, 3, 2, 1, 80, 48),
        (false, 3, 2, 0, 64, 64),
        (false, 4, 2, 1, 48, 96),
        (false, 2, 2, 0, 144, 32),
        (false, 1, 1, 0, 64, 320), // products of matrices
        (false, 1, 1, 0, 3, 80),
        (false, 1, 2, 0, 8, 48),
        (true, 4, 2, 1, 64, 48),   // upsampling
        (true, 4, 2, 1, 32, 32),
        (true, 2, 2, 0, 20, 80),
        (true, 3, 1, 1, 24, 12),
    ];

    /// <summary>Each shape in both memory layouts and in float32 and bfloat16; one of each direction in float64, whose kernels are libtorch's.</summary>
    public static IReadOnlyList<ConvolutionCase> All { get; } =
    [
        .. from shape in s_shapes
           from channelsLast in (bool[])[false, true]
           from type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16]
           select Case(shape, channelsLast, type),
        Case((false, 3, 1, 1, 20, 48), channelsLast: false, ScalarType.Float64),
        Case((true, 4, 2, 1, 20, 48), channelsLast: true, ScalarType.Float64),
    ];

    private static ConvolutionCase Case(
        (bool Transposed, int Kernel, int Stride, int Padding, int In, int Out) shape, bool channelsLast, ScalarType type) =>
        new(shape.Transposed, shape.Kernel, shape.Stride, shape.Padding, shape.In, shape.Out, Height: 14, Width: 14, Batch: 4, channelsLast, type);
}
