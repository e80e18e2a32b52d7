using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class MishTests
{
    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Apply_ManyTimes_HasTheBitsOfTorchSharp(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        for (var i = 0; i < 5; i++) // a program of TorchScript is compiled anew after its first runs
        {
            var values = (randn([1000], generator: generator) * 15).to(type);
            var (ours, theirs) = (values.detach().clone().requires_grad_(), values.detach().clone().requires_grad_());
            var (one, other) = (Mish.Apply(ours), nn.functional.mish(theirs));
            TensorAssert.Identical(other.detach(), one.detach(), "values");
            one.sum().backward();
            other.sum().backward();
            TensorAssert.Identical(theirs.grad!, ours.grad!, "gradients");
            using var untracked = no_grad();
            TensorAssert.Identical(other.detach(), Mish.Apply(values), "without gradients");
        }
    }
}
