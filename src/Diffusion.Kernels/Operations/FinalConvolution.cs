using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A convolution that keeps nothing but its parameters: the end of a <see cref="RecomputedInput"/>.</summary>
internal sealed class FinalConvolution(ConvolutionParameters convolution) : IFinalOperator
{
    public IReadOnlyList<Tensor> Parameters { get; } = convolution.Bias is { } bias ? [convolution.Weight, bias] : [convolution.Weight];

    public Tensor Differentiable(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters) =>
        Functional.Conv2d(inputs[0], new(parameters[0], parameters.ElementAtOrDefault(1), convolution.Shape));

    public (Tensor Output, IReadOnlyList<Tensor> Kept) Forward(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters) => (Differentiable(inputs, parameters), []);

    public (IReadOnlyList<Tensor> Inputs, IReadOnlyList<Tensor> Parameters) Backward(Tensor direction, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> kept)
    {
        var (input, weight, shape) = (inputs[0], parameters[0], convolution.Shape);
        using var gradients = no_grad();
        var used = LayerPrecision.Entering(input, weight).detach();
        var type = LayerPrecision.IsNarrow(weight) ? LayerPrecision.OfProducts(used) : weight.dtype;
        var (ofInput, ofWeight, ofBias) = WinogradConvolution.CanRun(used, weight, shape)
            ? WinogradConvolution.For(used, weight).Gradients(direction, used, weight.detach())
            : ConvolutionGradient.Of(direction.to(type), used.to(type), weight.detach().to(type), shape);
        Tensor[] ofParameters = parameters.Count > 1 ? [ofWeight.to(weight.dtype), ofBias.to(weight.dtype)] : [ofWeight.to(weight.dtype)];
        return ([ofInput.to(input.dtype)], ofParameters);
    }
}
