using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Gradients of a module against differences of its output, in double precision.</summary>
internal static class GradientCheck
{
    private const double Step = 1e-6;

    /// <summary>Moves the inputs and every parameter, one after the other, along a random direction and compares the change of the output with what the gradients say.</summary>
    public static void Run(nn.Module module, Func<Tensor> forward, params Tensor[] inputs)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(23, CPU);
        var weights = randn(forward().shape, ScalarType.Float64, generator: generator); // a loss that no symmetry makes flat
        var sources = inputs.Select((input, i) => ($"input {i}", input)).Concat(module.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter))).ToList();
        Loss().backward();
        foreach (var (name, source) in sources)
        {
            using var local = NewDisposeScope();
            var direction = randn(source.shape, ScalarType.Float64, generator: generator);
            var expected = (source.grad! * direction).sum().item<double>();
            var actual = (Moved(source, direction, Step) - Moved(source, direction, -Step)) / (2 * Step);
            Assert.True(Math.Abs(expected - actual) <= 1e-7 * (1 + Math.Abs(expected)), $"{name}: the gradient says {expected}, the difference {actual}");
        }

        Tensor Loss() => (forward() * weights).sum();

        double Moved(Tensor source, Tensor direction, double step)
        {
            using var noGradients = no_grad();
            using var before = source.clone();
            source.add_(direction, alpha: step);
            var loss = Loss().item<double>();
            source.copy_(before);
            return loss;
        }
    }
}
