using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Values times the GELU of gates as an operation of the graph, which keeps nothing but its input. Gradients that are to be differentiated again come from libtorch.</summary>
/// <remarks>GEGLU of GLU Variants Improve Transformer, arXiv:2002.05202, Eq. 5; GELU is x·Φ(x), arXiv:1606.08415, Eq. 1.</remarks>
internal sealed class GatedGelu : autograd.SingleTensorFunction<GatedGelu>
{
    public override string Name => nameof(GatedGelu);

    /// <summary>values ⊙ GELU(gates); by libtorch where no kernel runs.</summary>
    /// <param name="halves">Values and after them gates, […, 2·C].</param>
    /// <returns>[…, C] in the type of the input.</returns>
    public static Tensor Of(Tensor halves)
    {
        using var scope = NewDisposeScope();
        var gated = !GatedGeluKernel.CanRun(halves) ? Plain([halves])
            : is_grad_enabled() && halves.requires_grad ? apply([halves])
            : GatedGeluKernel.For(halves).Forward(halves);
        return gated.MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var halves = (Tensor)vars[0];
        ReturnedGradients.Save(ctx, BackwardPass.ExpectsOne, [halves]);
        return GatedGeluKernel.For(halves).Forward(halves);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var received = grad_output; // a handle of its own, which no dispose scope may know
        return ReturnedGradients.Return(ctx, 0, grad_output, saved => [GatedGeluKernel.For(saved[0]).Gradient(saved[0], grad_output.to(saved[0].dtype).contiguous())], Plain);
    }

    private static Tensor Plain(List<Tensor> sources)
    {
        var halves = sources[0].chunk(2, dim: -1); // […, 2·C] → values and gates, each […, C]
        return halves[0] * nn.functional.gelu(halves[1]);
    }
}
