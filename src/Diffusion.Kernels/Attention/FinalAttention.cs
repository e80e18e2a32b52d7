using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>softmax(q·kᵀ/√d)·v that keeps its output and two numbers of each query, but not queries, keys and values: the end of a <see cref="RecomputedInput"/>.</summary>
internal sealed class FinalAttention(AttentionLayout layout) : IFinalOperator
{
    public IReadOnlyList<Tensor> Parameters => [];

    public Tensor Differentiable(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters) =>
        FusedAttention.CanRun(layout, [.. inputs]) ? FusedAttention.Apply(layout, [.. inputs]) : PlainAttention.Apply(layout, [.. inputs]);

    public (Tensor Output, IReadOnlyList<Tensor> Kept) Forward(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters)
    {
        var (output, totals) = FusedAttention.Forward(layout, [.. inputs.Select(part => part.contiguous())]);
        return (output, [output.detach(), totals]); // the output itself would keep its own graph alive
    }

    public (IReadOnlyList<Tensor> Inputs, IReadOnlyList<Tensor> Parameters) Backward(Tensor direction, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> kept) =>
        (FusedAttention.Gradients(layout, [.. inputs.Select(part => part.detach().contiguous())], kept[0], kept[1], direction), []);
}
