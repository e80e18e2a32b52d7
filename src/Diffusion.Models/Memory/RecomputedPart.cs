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
        call.Shapes = tensors.ConvertAll(tensor => tensor.requires_grad ? tensor.shape : null);
        ctx.save_data(Call, call);
        ctx.set_materialize_grads(false);
        ctx.save_for_backward(tensors); // the parameters, too: that they were changed since is then an error
        return call.First([.. tensors.Take(call.InputCount)]);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        List<Tensor> gradients;
        try
        {
            gradients = Gradients(ctx, grad_output);
        }
        catch (Exception error) // an exception that left this method through the native engine would end the process
        {
            BackwardPass.Failure = error;
            gradients = Unfit(ctx);
        }

        ctx.Dispose(); // the engine does not do it before the whole graph is gone: what entered every part would stay until then
        return ReturnedGradients.Return(1, gradients);
    }

    private static List<Tensor> Gradients(autograd.AutogradContext ctx, Tensor received)
    {
        using var scope = NewDisposeScope();
        var call = (RecomputedCall)ctx.get_data(Call);
        var saved = ctx.get_saved_variables();
        var inputs = saved.Take(call.InputCount).Select(input => input.detach().requires_grad_(input.requires_grad)).ToArray();
        var sources = inputs.Concat(saved.Skip(call.InputCount)).ToList();
        var wanted = sources.Where(source => source.requires_grad).ToList();
        var gradients = new Queue<Tensor>(autograd.grad([call.Again(inputs)], wanted, [received], allow_unused: true));
        return [.. sources.Select(source => source.requires_grad ? gradients.Dequeue()?.MoveToOuterDisposeScope()! : null!)];
    }

    /// <summary>Gradients of a shape that the engine refuses: the one way to make it throw.</summary>
    private static List<Tensor> Unfit(autograd.AutogradContext ctx)
    {
        var call = (RecomputedCall)ctx.get_data(Call);
        return [.. call.Shapes.Select(shape => shape is null ? null! : zeros([.. shape, 2, 2]))];
    }
}
