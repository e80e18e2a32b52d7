using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Convolutions that are right on libtorch's CPU kernels: channels padded by zeros where the kernels need it, 1×1 as a product of
/// matrices. On other devices and in float64 they are libtorch's own. The output is dense in the memory layout of the input.
/// </summary>
internal static class Convolution
{
    /// <summary>A convolution: input [B, C, H, W], weight [O, C, k, k], bias [O].</summary>
    public static Tensor Forward(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape)
    {
        if (!ChannelPadding.Applies(input))
        {
            return Plain(input, weight, bias, shape);
        }

        if (shape.IsPointwise)
        {
            using var matrix = weight.view(shape.OutChannels, shape.InChannels);
            return PointwiseConvolution.Forward(input, matrix, bias, shape.Stride);
        }

        var (missingIn, missingOut) = Missing(shape);
        if (missingIn == 0 && missingOut == 0)
        {
            return Plain(input, weight, bias, shape);
        }

        using var scope = NewDisposeScope();
        var padded = Plain(
            ChannelPadding.Images(input, missingIn), ChannelPadding.Weight(weight, missingOut, missingIn), ChannelPadding.Bias(bias, missingOut), shape);
        return Narrowed(padded, input, shape.OutChannels, missingOut).MoveToOuterDisposeScope();
    }

    /// <summary>A transposed convolution: input [B, C, H, W], weight [C, O, k, k], bias [O].</summary>
    public static Tensor Transposed(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape)
    {
        if (!ChannelPadding.Applies(input))
        {
            return PlainTransposed(input, weight, bias, shape);
        }

        if (shape.IsPointwise)
        {
            using var matrix = weight.view(shape.InChannels, shape.OutChannels);
            using var transposed = matrix.t();
            return PointwiseConvolution.Spread(input, transposed, bias, shape.Stride);
        }

        var (missingIn, missingOut) = Missing(shape);
        if (missingIn == 0 && missingOut == 0)
        {
            return PlainTransposed(input, weight, bias, shape);
        }

        using var scope = NewDisposeScope();
        var padded = PlainTransposed(
            ChannelPadding.Images(input, missingIn), ChannelPadding.Weight(weight, missingIn, missingOut), ChannelPadding.Bias(bias, missingOut), shape);
        return Narrowed(padded, input, shape.OutChannels, missingOut).MoveToOuterDisposeScope();
    }

    /// <summary>libtorch's own convolution.</summary>
    public static Tensor Plain(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape) =>
        nn.functional.conv2d(input, weight, bias!, [shape.Stride, shape.Stride], [shape.Padding, shape.Padding]);

    /// <summary>libtorch's own transposed convolution.</summary>
    public static Tensor PlainTransposed(Tensor input, Tensor weight, Tensor? bias, in ConvolutionShape shape) =>
        nn.functional.conv_transpose2d(input, weight, bias!, [shape.Stride, shape.Stride], [shape.Padding, shape.Padding]);

    private static (int In, int Out) Missing(in ConvolutionShape shape) =>
        (ChannelPadding.Round(shape.InChannels) - shape.InChannels, ChannelPadding.Round(shape.OutChannels) - shape.OutChannels);

    private static Tensor Narrowed(Tensor padded, Tensor input, int channels, int missing) =>
        missing == 0 ? padded : MemoryLayout.Dense(padded.narrow(1, 0, channels), MemoryLayout.IsChannelsLast(input));
}
