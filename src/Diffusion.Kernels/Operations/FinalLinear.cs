using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A linear map that keeps nothing but its parameters: the end of a <see cref="RecomputedInput"/>.</summary>
internal sealed class FinalLinear(LinearParameters linear) : IFinalOperator
{
    public IReadOnlyList<Tensor> Parameters { get; } = linear.Bias is { } bias ? [linear.Weight, bias] : [linear.Weight];

    public Tensor Differentiable(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters) => Functional.Linear(inputs[0], new(parameters[0], parameters.ElementAtOrDefault(1)));

    public (Tensor Output, IReadOnlyList<Tensor> Kept) Forward(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters) => (Differentiable(inputs, parameters), []);

    public (IReadOnlyList<Tensor> Inputs, IReadOnlyList<Tensor> Parameters) Backward(Tensor direction, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> kept)
    {
        using var gradients = no_grad();
        var (input, weight) = (inputs[0], parameters[0]);
        var used = LayerPrecision.Entering(input, weight).detach();
        if (FusedLinear.CanRun(used, weight))
        {
            var (kernel, dense) = (LinearTokens.For(used), direction.to(used.dtype).contiguous());
            Tensor[] ofParameters = parameters.Count > 1 ? [kernel.ToWeight(used, dense), kernel.ToBias(dense)] : [kernel.ToWeight(used, dense)];
            return ([kernel.ToInput(dense, weight).to(input.dtype)], ofParameters);
        }

        var type = LayerPrecision.IsNarrow(weight) ? LayerPrecision.OfProducts(used) : weight.dtype;
        var (rows, from) = (used.to(type).flatten(0, -2), direction.to(type).flatten(0, -2)); // […, C] → [N, C]
        var ofWeight = from.t().mm(rows).to(weight.dtype);
        Tensor[] plain = parameters.Count > 1 ? [ofWeight, from.sum([0L]).to(weight.dtype)] : [ofWeight];
        return ([from.mm(weight.detach().to(type)).view(input.shape).to(input.dtype)], plain);
    }
}
