using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// libtorch's <c>scaled_dot_product_attention</c> as an operation of the graph that can be differentiated any number of times: libtorch's own ends with an error in the second derivative. The first
/// derivative is libtorch's, by a graph of its own; gradients that are to be differentiated again come from products of matrices.
/// </summary>
internal sealed class LibtorchAttention : autograd.SingleTensorFunction<LibtorchAttention>
{
    private const string Inner = "inner";

    public override string Name => nameof(LibtorchAttention);

    /// <summary>softmax(q·kᵀ/√d)·v, as <see cref="PlainAttention.Apply"/>.</summary>
    public static Tensor Apply(AttentionLayout layout, Tensor[] tokens)
    {
        using var scope = NewDisposeScope();
        return apply([layout, .. tokens]).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (layout, tokens) = ((AttentionLayout)vars[0], vars.Skip(1).Cast<Tensor>().ToArray());
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        var leaves = Array.ConvertAll(tokens, part => part.detach().requires_grad_(part.requires_grad).DetachFromDisposeScope());
        var output = PlainAttention.ScaledDotProduct(layout, leaves).DetachFromDisposeScope();
        ctx.save_data(Inner, new InnerGraph(layout, leaves, output, BackwardPass.ExpectsOne));
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, tokens);
        return output.detach().MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var inner = (InnerGraph)ctx.get_data(Inner);
        return ReturnedGradients.Return(ctx, 1, grad_output, _ => inner.Gradients(grad_output), sources => PlainAttention.Products(inner.Layout, [.. sources]));
    }

    /// <summary>libtorch's graph from tokens to output.</summary>
    private sealed record InnerGraph(AttentionLayout Layout, Tensor[] Leaves, Tensor Output, bool Once)
    {
        public List<Tensor?> Gradients(Tensor direction)
        {
            Output.backward([direction.to(Output.dtype)], retain_graph: !Once, inputs: [.. Leaves.Where(leaf => leaf.requires_grad)]);
            List<Tensor?> gradients = [.. Leaves.Select(Taken)];
            if (Once)
            {
                Output.Dispose(); // now, and not when the collector comes to it
                Array.ForEach(Leaves, leaf => leaf.Dispose());
            }

            return gradients;
        }

        private static Tensor? Taken(Tensor leaf)
        {
            if (!leaf.requires_grad)
            {
                return null;
            }

            var gradient = leaf.grad!;
            leaf.grad = null;
            return gradient;
        }
    }
}
