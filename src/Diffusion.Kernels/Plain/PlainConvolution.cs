using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Convolutions by libtorch that are right on its CPU kernels, too: channels padded by zeros where these need it, 1×1 as a product of matrices. On other devices and in float64 they are libtorch's own.
/// The output is dense in the memory layout of the input. They have every derivative.
/// </summary>
internal static class PlainConvolution
{
    /// <summary>A convolution: input [B, C, H, W], weight [O, C, k, k], bias [O]; or, transposed, weight [C, O, k, k].</summary>
    public static Tensor Forward(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed = false)
    {
        if (!ChannelPadding.Applies(input))
        {
            return LibtorchConvolution.Run(input, weight, bias, shape, transposed);
        }

        if (shape.IsPointwise)
        {
            return Pointwise(input, weight, bias, shape, transposed);
        }

        if (input.dtype == ScalarType.BFloat16 && shape.SeesOnlyPadding(input, transposed))
        {
            using var wide = NewDisposeScope();
            return Forward(input.to(ScalarType.Float32), weight.to(ScalarType.Float32), bias?.to(ScalarType.Float32), shape, transposed).to(input.dtype).MoveToOuterDisposeScope();
        }

        var (missingIn, missingOut) = ChannelPadding.Missing(input, shape, transposed, Needed(input, weight, bias));
        if (missingIn == 0 && missingOut == 0)
        {
            return LibtorchConvolution.Run(input, weight, bias, shape, transposed);
        }

        using var scope = NewDisposeScope();
        var (first, second) = transposed ? (missingIn, missingOut) : (missingOut, missingIn);
        var padded = LibtorchConvolution.Run(
            ChannelPadding.Images(input, missingIn), ChannelPadding.Weight(weight, first, second), ChannelPadding.Bias(bias, missingOut), shape, transposed);
        return (missingOut == 0 ? padded : MemoryLayout.Dense(padded.narrow(1, 0, shape.OutChannels), MemoryLayout.IsChannelsLast(input))).MoveToOuterDisposeScope();
    }

    private static Tensor Pointwise(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape, bool transposed)
    {
        using var matrix = weight.view(weight.size(0), weight.size(1));
        if (!transposed)
        {
            return PlainPointwise.Forward(input, matrix, bias, shape.Stride);
        }

        using var turned = matrix.t();
        return PlainPointwise.Spread(input, turned, bias, shape.Stride);
    }

    private static ConvolutionResults Needed(Tensor input, Tensor weight, Tensor? bias) => !is_grad_enabled()
        ? ConvolutionResults.Output
        : ConvolutionResults.Output
            | (input.requires_grad ? ConvolutionResults.InputGradient : 0)
            | (weight.requires_grad || bias is { requires_grad: true } ? ConvolutionResults.ParameterGradients : 0);
}
