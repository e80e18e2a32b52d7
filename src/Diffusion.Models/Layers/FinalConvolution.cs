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
        var narrow = LayerPrecision.IsNarrow(weight);
        var used = narrow ? LayerPrecision.Narrow(input) : input.detach();
        var (ofInput, ofWeight, ofBias) = WinogradConvolution.Pays(used, weight, shape)
            ? WinogradConvolution.Gradients(direction, used, weight)
            : ConvolutionGradient.Of(direction, used, narrow ? weight.to(ScalarType.BFloat16) : weight, shape);
        Tensor[] parameters = Parameters.Count > 1 ? [ofWeight.to(weight.dtype), ofBias.to(weight.dtype)] : [ofWeight.to(weight.dtype)];
        return ([ofInput.to(input.dtype)], parameters);
    }
}
