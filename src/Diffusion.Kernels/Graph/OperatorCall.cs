using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>What a <see cref="RecomputedInput"/> does, and how many of its tensors are what: inputs, parameters of the first operations, parameters of the last, what the last kept.</summary>
internal sealed record OperatorCall(IFinalOperator Last, FirstOperations First, int InputCount, int ParameterCount, ComputePrecision Precision)
{
    private int LastAt => InputCount + ParameterCount;

    private int KeptAt => LastAt + Last.Parameters.Count;

    /// <summary>The output, and what the last operation keeps.</summary>
    public (Tensor Output, IReadOnlyList<Tensor> Kept) Forward(List<Tensor> tensors) =>
        Last.Forward(First(tensors[..InputCount], tensors[InputCount..LastAt]), tensors[LastAt..KeptAt]);

    /// <summary>The gradients of all tensors but those kept; outside of the scope.</summary>
    public List<Tensor?> Gradients(List<Tensor> saved, Tensor direction)
    {
        using var scope = NewDisposeScope();
        using var precision = MixedPrecision.Use(Precision);
        var inputs = saved.Take(InputCount).Select(input => input.detach().requires_grad_(input.requires_grad)).ToArray();
        Tensor[] between;
        using (enable_grad())
        {
            between = First(inputs, saved[InputCount..LastAt]);
        }

        var (ofBetween, ofLast) = Last.Backward(direction, between, saved[LastAt..KeptAt], saved[KeptAt..]);
        Tensor[] wanted = [.. inputs.Where(input => input.requires_grad), .. saved[InputCount..LastAt]];
        var gradients = new Queue<Tensor>(GraphGradients.Of(between, wanted, [.. ofBetween]));
        return [.. inputs.Select(input => input.requires_grad ? Outside(gradients.Dequeue()) : null), .. gradients.Select(Outside), .. ofLast.Select(Outside)];
    }

    /// <summary>Gradients that have derivatives themselves: for <c>create_graph</c>.</summary>
    public List<Tensor?> DifferentiableGradients(List<Tensor> saved, Tensor direction)
    {
        using var scope = NewDisposeScope();
        using var precision = MixedPrecision.Use(Precision);
        var sources = saved[..KeptAt];
        var output = Last.Differentiable(First(saved[..InputCount], saved[InputCount..LastAt]), saved[LastAt..KeptAt]);
        var gradients = new Queue<Tensor>(GraphGradients.DifferentiableOf([output], [.. sources.Where(source => source.requires_grad)], direction));
        return [.. sources.Select(source => source.requires_grad ? Outside(gradients.Dequeue()) : null)];
    }

    private static Tensor Outside(Tensor tensor) => tensor.DetachFromDisposeScope();
}
