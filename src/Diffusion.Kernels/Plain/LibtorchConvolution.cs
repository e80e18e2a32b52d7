using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>libtorch's own convolutions, as they are: on the CPU wrong at many channel counts (docs/decisions/0003).</summary>
internal static class LibtorchConvolution
{
    /// <summary>A convolution: input [B, C, H, W], weight [O, C, k, k], bias [O]; or, transposed, weight [C, O, k, k].</summary>
    public static Tensor Run(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed = false) => transposed
        ? nn.functional.conv_transpose2d(input, weight, bias!, [shape.Stride, shape.Stride], [shape.Padding, shape.Padding])
        : nn.functional.conv2d(input, weight, bias!, [shape.Stride, shape.Stride], [shape.Padding, shape.Padding]);
}
