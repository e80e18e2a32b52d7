using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// libtorch's <c>scaled_dot_product_attention</c> as an operation of the graph that can be differentiated any number of times: libtorch's own ends with an error in the second derivative. The first
/// derivative is libtorch's, by a graph of its own; gradients that are to be differentiated again come from products of matrices.
/// </summary>
internal sealed class LibtorchAttention : autograd.SingleTensorFunction<LibtorchAttention>
{
    private const string Layout = "layout";

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
        var leaves = Array.ConvertAll(tokens, part => part.detach().requires_grad_(part.requires_grad).MoveToOuterDisposeScope());
        var output = PlainAttention.ScaledDotProduct(layout, leaves).MoveToOuterDisposeScope(); // with the graph from the leaves to it: saved after this method, and freed with what is saved
        ctx.save_data(Layout, layout);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, tokens, [.. leaves, output]);
        return output.detach().MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var layout = (AttentionLayout)ctx.get_data(Layout);
        return ReturnedGradients.Return(ctx, 1, grad_output, saved => Gradients(saved[(saved.Count / 2)..^1], saved[^1], grad_output), sources => PlainAttention.Products(layout, [.. sources]));
    }

    /// <summary>The gradients by the graph from the leaves to the output.</summary>
    private static List<Tensor?> Gradients(List<Tensor> leaves, Tensor output, Tensor direction)
    {
        try
        {
            output.backward([direction.to(output.dtype)], retain_graph: true, inputs: [.. leaves.Where(leaf => leaf.requires_grad)]);
            return leaves.ConvertAll(leaf => leaf.requires_grad ? leaf.grad : null);
        }
        finally
        {
            leaves.ForEach(leaf => leaf.grad = null); // also of a pass that failed half-way
        }
    }
}
