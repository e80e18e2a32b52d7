using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A part of a network as one operation of the graph: a <see cref="RecomputedCall"/>, its inputs, its parameters.</summary>
internal sealed class RecomputedPart : autograd.SingleTensorFunction<RecomputedPart>
{
    private const string Call = "call";

    public override string Name => nameof(RecomputedPart);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (RecomputedCall)vars[0];
        var tensors = vars.Skip(1).Cast<Tensor>().ToList();
        ctx.save_data(Call, call);
        ctx.set_materialize_grads(false);
        ReturnedGradients.Save(ctx, once: true, tensors); // the parameters, too: that they were changed since is then an error
        return ForwardOnly.Not(() => call.First([.. tensors.Take(call.InputCount)]));
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var call = (RecomputedCall)ctx.get_data(Call);
        return ReturnedGradients.Return(ctx, 1, saved => Gradients(call, saved, grad_output));
    }

    private static List<Tensor?> Gradients(RecomputedCall call, List<Tensor> saved, Tensor received)
    {
        if (is_grad_enabled()) // create_graph: what is computed from here on is not part of the graph
        {
            throw new NotSupportedException($"Gradients through {nameof(GradientCheckpointing)} have no derivatives themselves: turn it off for a backward pass with create_graph.");
        }

        using var scope = NewDisposeScope();
        var inputs = saved.Take(call.InputCount).Select(input => input.detach().requires_grad_(input.requires_grad)).ToArray();
        var sources = inputs.Concat(saved.Skip(call.InputCount)).ToList();
        var wanted = sources.Where(source => source.requires_grad).ToArray();
        var gradients = new Queue<Tensor?>(GraphGradients.PartialOf([ForwardOnly.Not(() => call.Again(inputs))], wanted, received));
        return [.. sources.Select(source => source.requires_grad ? gradients.Dequeue()?.DetachFromDisposeScope() : null)];
    }
}
