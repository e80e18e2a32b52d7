using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="TransposeKernel"/> as an operation of the graph. The gradient is the same operation, so that it has every derivative.</summary>
internal sealed class DenseTranspose : autograd.SingleTensorFunction<DenseTranspose>
{
    public override string Name => nameof(DenseTranspose);

    /// <summary>Turns each matrix around; by libtorch where no kernel runs.</summary>
    /// <param name="values">[B, rows, columns].</param>
    /// <returns>[B, columns, rows], contiguous, in the type of the values.</returns>
    public static Tensor Of(Tensor values)
    {
        using var scope = NewDisposeScope();
        var turned = !TransposeKernel.CanRun(values) ? values.transpose(1, 2).contiguous() // nothing to do for the transpose of dense values
            : is_grad_enabled() && values.requires_grad ? apply([values])
            : TransposeKernel.Current.Transposed(values);
        return turned.MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ReturnedGradients.SaveNothing(ctx, BackwardPass.ExpectsOne, sources: 1);
        return TransposeKernel.Current.Transposed((Tensor)vars[0]);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        return ReturnedGradients.Return(ctx, 0, _ => [Of(grad_output).DetachFromDisposeScope()]);
    }
}
