using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A convolution that keeps nothing but its parameters.</summary>
internal sealed class FinalConvolution(Conv2d convolution, ConvolutionShape shape) : IFinalOperator
{
    public IReadOnlyList<Tensor> Parameters { get; } = convolution.Bias is { } bias ? [convolution.Weight, bias] : [convolution.Weight];

    public Tensor Differentiable(IReadOnlyList<Tensor> inputs) => convolution.call(inputs[0]);

    public (Tensor Output, IReadOnlyList<Tensor> Kept) Forward(IReadOnlyList<Tensor> inputs) => (convolution.call(inputs[0]), []);

    public (IReadOnlyList<Tensor> Inputs, IReadOnlyList<Tensor> Parameters) Backward(Tensor direction, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> kept)
    {
        var (input, weight) = (inputs[0], convolution.Weight);
        using var gradients = no_grad();
        var (used, rounded) = LayerPrecision.IsNarrow(weight) ? (LayerPrecision.Narrow(input), weight.to(ScalarType.BFloat16)) : (input.detach(), weight);
        var (ofInput, ofWeight, ofBias) = ConvolutionGradient.Of(direction, used, rounded, shape);
        Tensor[] parameters = Parameters.Count > 1 ? [ofWeight.to(weight.dtype), ofBias.to(weight.dtype)] : [ofWeight.to(weight.dtype)];
        return ([ofInput.to(input.dtype)], parameters);
    }
}
