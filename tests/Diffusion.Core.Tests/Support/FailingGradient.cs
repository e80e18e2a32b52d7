using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>The identity, with a gradient that the engine refuses.</summary>
internal sealed class FailingGradient : autograd.SingleTensorFunction<FailingGradient>
{
    public override string Name => nameof(FailingGradient);

    public static Tensor Apply(Tensor values) => apply([values]);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars) => ((Tensor)vars[0]).clone();

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) => [ones(3, 5, 7).DetachFromDisposeScope()];
}
