using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Cheap operations, then an expensive one, as one operation of the graph: what is between them is not kept for the backward pass but computed again. Norm, activation and
/// convolution then keep one tensor instead of three; norm, projection and attention two instead of six.
/// </summary>
/// <remarks>Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174, section 3: dropping the results of low cost operations.</remarks>
internal sealed class RecomputedInput : autograd.SingleTensorFunction<RecomputedInput>
{
    private const string Call = "call";

    public override string Name => nameof(RecomputedInput);

    /// <summary>Runs the operations.</summary>
    /// <param name="last">The expensive one.</param>
    /// <param name="first">The cheap ones.</param>
    /// <param name="parameters">Theirs.</param>
    /// <param name="inputs">What enters.</param>
    /// <returns>The output, with the gradients of operations run one by one.</returns>
    public static Tensor Run(IFinalOperator last, FirstOperations first, Tensor[] parameters, params Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        if (!is_grad_enabled())
        {
            return last.Forward(first(inputs, parameters), last.Parameters).Output.MoveToOuterDisposeScope();
        }

        if (parameters.Length == 0 || !parameters.Concat(last.Parameters).All(parameter => parameter.requires_grad))
        {
            return last.Differentiable(first(inputs, parameters), last.Parameters).MoveToOuterDisposeScope();
        }

        var call = new OperatorCall(last, first, inputs.Length, parameters.Length, MixedPrecision.Current);
        return apply([call, .. inputs, .. parameters, .. last.Parameters]).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (call, tensors) = ((OperatorCall)vars[0], vars.Skip(1).Cast<Tensor>().ToList());
        using var scope = NewDisposeScope();
        var (output, kept) = ForwardOnly.Not(() => call.Forward(tensors));
        ctx.save_data(Call, call);
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, tensors, [.. kept.Select(tensor => tensor.MoveToOuterDisposeScope())]);
        return output.MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        var call = (OperatorCall)ctx.get_data(Call);
        return ReturnedGradients.Return(ctx, 1, saved => is_grad_enabled() ? call.DifferentiableGradients(saved, grad_output) : call.Gradients(saved, grad_output));
    }
}
