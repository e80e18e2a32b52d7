using System.Collections.Concurrent;
using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>The gradients of <see cref="PlainConvolution.Forward"/> and of transposed convolutions without a graph that keeps its input.</summary>
internal static class ConvolutionGradient
{
    // TorchSharp has no method for this operator of libtorch. Stride and padding are part of the program: as arguments TorchSharp 0.107 makes them numbers that nobody holds, and a garbage collection
    // before libtorch reads them lets it read freed memory.
    private const string Script = """
        def gradients(direction, input, weight):
            of_input, of_weight, of_bias = torch.convolution_backward(direction, input, weight, [weight.size(0)], [STRIDE, STRIDE], [PADDING, PADDING], [1, 1], False, [0, 0], 1, [True, True, True])
            return [of_input, of_weight, of_bias]

        def transposed(direction, input, weight):
            of_input, of_weight, _ = torch.convolution_backward(direction, input, weight, None, [STRIDE, STRIDE], [PADDING, PADDING], [1, 1], True, [0, 0], 1, [True, True, False])
            return [of_input, of_weight]

        """;

    private static readonly ConcurrentDictionary<(int Stride, int Padding), Lazy<jit.CompilationUnit>> s_units = new();

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="direction">[B, O, H', W'].</param>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="weight">[O, C, k, k], not pointwise on the CPU.</param>
    /// <param name="shape">Stride and padding.</param>
    /// <returns>[B, C, H, W], [O, C, k, k] and [O].</returns>
    public static (Tensor Input, Tensor Weight, Tensor Bias) Of(Tensor direction, Tensor input, Tensor weight, in ConvolutionShape shape)
    {
        if (!ChannelPadding.Applies(input))
        {
            return Plain(direction, input, weight, shape);
        }

        if (input.dtype == ScalarType.BFloat16 && shape.SeesOnlyPadding(input, transposed: false))
        {
            var (wideInput, wideWeight, bias) = Of(direction.to(ScalarType.Float32), input.to(ScalarType.Float32), weight.to(ScalarType.Float32), shape);
            return (wideInput.to(input.dtype), wideWeight.to(weight.dtype), bias.to(weight.dtype));
        }

        var (missingIn, missingOut) = ChannelPadding.Missing(input, shape, transposed: false, ConvolutionResults.All);
        var (ofInput, ofWeight, ofBias) = Plain(
            ChannelPadding.Images(direction, missingOut), ChannelPadding.Images(input, missingIn), ChannelPadding.Weight(weight, missingOut, missingIn), shape);
        return (ofInput.narrow(1, 0, shape.InChannels), ofWeight.narrow(0, 0, shape.OutChannels).narrow(1, 0, shape.InChannels), ofBias.narrow(0, 0, shape.OutChannels));
    }

    /// <summary>The same of <see cref="LibtorchConvolution.Run"/>, but for the bias.</summary>
    /// <param name="direction">[B, O, H', W'].</param>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="weight">[C, O, k, k].</param>
    /// <param name="shape">Stride and padding.</param>
    /// <returns>[B, C, H, W] and [C, O, k, k].</returns>
    public static (Tensor Input, Tensor Weight) OfTransposed(Tensor direction, Tensor input, Tensor weight, in ConvolutionShape shape)
    {
        var gradients = Invoke("transposed", direction, input, weight, shape);
        return (gradients[0], gradients[1]);
    }

    private static (Tensor Input, Tensor Weight, Tensor Bias) Plain(Tensor direction, Tensor input, Tensor weight, in ConvolutionShape shape)
    {
        var gradients = Invoke("gradients", direction, input, weight, shape);
        return (gradients[0], gradients[1], gradients[2]);
    }

    private static Tensor[] Invoke(string name, Tensor direction, Tensor input, Tensor weight, in ConvolutionShape shape) =>
        (Tensor[])s_units.GetOrAdd((shape.Stride, shape.Padding), Compile).Value.invoke(name, direction, input, weight)!;

    private static Lazy<jit.CompilationUnit> Compile((int Stride, int Padding) shape) => new(
        () => jit.compile(Script
            .Replace("STRIDE", shape.Stride.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("PADDING", shape.Padding.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)),
        LazyThreadSafetyMode.PublicationOnly); // a failure is not kept: the next caller compiles again
}
