using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Convolutions and their gradients in float64 from windows gathered by <c>unfold</c>, matrix products and windows added up by <c>fold</c>:
/// no convolution kernel and no automatic differentiation, one image at a time.
/// </summary>
internal static class ConvolutionReference
{
    /// <summary>The output and the gradients of ⟨output, direction⟩; all float64.</summary>
    public readonly record struct Results(Tensor Output, Tensor InputGradient, Tensor WeightGradient, Tensor BiasGradient);

    /// <summary>A convolution, or a transposed one.</summary>
    public static Results Run(Tensor input, Tensor weight, Tensor bias, Tensor direction, ConvolutionShape shape, bool transposed) =>
        transposed ? Transposed(input, weight, bias, direction, shape) : Forward(input, weight, bias, direction, shape);

    /// <summary>The output alone.</summary>
    public static Tensor Output(Tensor input, Tensor weight, Tensor bias, ConvolutionShape shape, bool transposed)
    {
        var matrix = weight.reshape(weight.shape[0], -1); // [O, C·k²], or transposed [C, O·k²]
        long[] image = transposed
            ? [1, shape.OutChannels, shape.TransposedOutputSize(input.size(2)), shape.TransposedOutputSize(input.size(3))]
            : [1, shape.OutChannels, shape.OutputSize(input.size(2)), shape.OutputSize(input.size(3))];
        List<Tensor> outputs = [];
        for (var b = 0; b < input.shape[0]; b++)
        {
            using var scope = NewDisposeScope();
            var output = transposed
                ? Scatter(matrix.t().mm(input[b].reshape(input.shape[1], -1)), image, shape)
                : matrix.mm(Gather(input.slice(0, b, b + 1, 1), shape)).view(image[1..]);
            outputs.Add(output.MoveToOuterDisposeScope());
        }

        return stack(outputs).Plus(bias.view(-1, 1, 1));
    }

    /// <summary>A convolution of input [B, C, H, W] with weight [O, C, k, k]; direction has the shape of the output.</summary>
    public static Results Forward(Tensor input, Tensor weight, Tensor bias, Tensor direction, ConvolutionShape shape)
    {
        var matrix = weight.reshape(weight.shape[0], -1); // [O, C·k²]
        var weightGradient = zeros_like(matrix);
        List<Tensor> outputs = [], inputGradients = [];
        for (var b = 0; b < input.shape[0]; b++)
        {
            using var scope = NewDisposeScope();
            var windows = Gather(input.slice(0, b, b + 1, 1), shape);         // [C·k², windows]
            var slope = direction[b].reshape(direction.shape[1], -1);         // [O, windows]
            outputs.Add(matrix.mm(windows).view(direction.shape[1..]).MoveToOuterDisposeScope());
            inputGradients.Add(Scatter(matrix.t().mm(slope), input.shape, shape).MoveToOuterDisposeScope());
            weightGradient.add_(slope.mm(windows.t()), Scalars.One);
        }

        return Assemble(outputs, inputGradients, weightGradient, weight, bias, direction);
    }

    /// <summary>A transposed convolution of input [B, C, H, W] with weight [C, O, k, k]: the adjoint of <see cref="Forward"/>.</summary>
    public static Results Transposed(Tensor input, Tensor weight, Tensor bias, Tensor direction, ConvolutionShape shape)
    {
        var matrix = weight.reshape(weight.shape[0], -1); // [C, O·k²]
        var weightGradient = zeros_like(matrix);
        List<Tensor> outputs = [], inputGradients = [];
        for (var b = 0; b < input.shape[0]; b++)
        {
            using var scope = NewDisposeScope();
            var pixels = input[b].reshape(input.shape[1], -1);                // [C, pixels]
            var slope = Gather(direction.slice(0, b, b + 1, 1), shape);       // [O·k², pixels]
            outputs.Add(Scatter(matrix.t().mm(pixels), direction.shape, shape).MoveToOuterDisposeScope());
            inputGradients.Add(matrix.mm(slope).view(input.shape[1..]).MoveToOuterDisposeScope());
            weightGradient.add_(pixels.mm(slope.t()), Scalars.One);
        }

        return Assemble(outputs, inputGradients, weightGradient, weight, bias, direction);
    }

    private static Results Assemble(
        List<Tensor> outputs, List<Tensor> inputGradients, Tensor weightGradient, Tensor weight, Tensor bias, Tensor direction) =>
        new(stack(outputs).Plus(bias.view(-1, 1, 1)), stack(inputGradients), weightGradient.view(weight.shape), direction.sum([0, 2, 3]));

    private static Tensor Gather(Tensor image, ConvolutionShape shape) =>
        nn.functional.unfold(image, shape.Kernel, padding: shape.Padding, stride: shape.Stride)[0];

    private static Tensor Scatter(Tensor windows, long[] images, ConvolutionShape shape) =>
        nn.functional.fold(
            windows.unsqueeze(0), (images[2], images[3]), (shape.Kernel, shape.Kernel), padding: (shape.Padding, shape.Padding), stride: (shape.Stride, shape.Stride))[0];
}
