using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class RecomputedInputTests
{
    [Theory]
    [InlineData(8, 24, 1, 1, ComputePrecision.Float32)] // channels that are padded
    [InlineData(32, 64, 1, 1, ComputePrecision.Float32)]
    [InlineData(32, 32, 2, 0, ComputePrecision.Float32)]
    [InlineData(32, 64, 1, 1, ComputePrecision.BFloat16)]
    public void Run_NormAndConvolution_HasTheGradientsOfSingleOperations(int inChannels, int outChannels, int stride, int padding, ComputePrecision precision)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        using var chosen = MixedPrecision.Use(precision);
        var (norm, convolution) = (new GroupNorm(4, inChannels), new Conv2d(inChannels, outChannels, 3, stride, padding, generator: generator));
        var images = randn([2, inChannels, 9, 9], generator: generator).to(precision == ComputePrecision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32).requires_grad_();
        var leaves = new Tensor[] { images, norm.Weight, norm.Bias, convolution.Weight, convolution.Bias! };

        var plain = convolution.call(nn.functional.silu(norm.call(images)));
        var expected = autograd.grad([plain.to(ScalarType.Float32).square().sum()], leaves);
        var output = RecomputedInput.Run(convolution.AsFinal!, inputs => [nn.functional.silu(norm.call(inputs[0]))], [norm], images);
        var gradients = autograd.grad([output.to(ScalarType.Float32).square().sum()], leaves);

        Assert.True(plain.equal(output).all().item<bool>());
        foreach (var (gradient, other) in gradients.Zip(expected))
        {
            Assert.Equal(other.dtype, gradient.dtype);
            Assert.True((gradient - other).to(ScalarType.Float64).norm().item<double>() <= 1e-6 * other.to(ScalarType.Float64).norm().item<double>());
        }
    }

    [Fact]
    public void Run_GradientOfAGradient_IsThatOfSingleOperations()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var (norm, convolution) = (new GroupNorm(4, 32), new Conv2d(32, 32, 3, padding: 1, generator: generator));
        var images = randn([1, 32, 5, 5], generator: generator).requires_grad_();
        Tensor Second(Func<Tensor> forward)
        {
            var first = autograd.grad([forward().square().sum()], [images], retain_graph: true, create_graph: true)[0];
            return autograd.grad([first.square().sum()], [images])[0];
        }

        var expected = Second(() => convolution.call(nn.functional.silu(norm.call(images))));
        var second = Second(() => RecomputedInput.Run(convolution.AsFinal!, inputs => [nn.functional.silu(norm.call(inputs[0]))], [norm], images));

        Assert.True((second - expected).norm().item<float>() <= 1e-5 * expected.norm().item<float>());
    }

    [Fact]
    public void Run_WalkedTwice_GivesTheSameGradientsTwice()
    {
        using var scope = NewDisposeScope();
        var (norm, convolution) = (new GroupNorm(4, 32), new Conv2d(32, 32, 3, padding: 1));
        var images = randn([1, 32, 5, 5]).requires_grad_();
        var sum = RecomputedInput.Run(convolution.AsFinal!, inputs => [norm.call(inputs[0])], [norm], images).sum();

        var first = autograd.grad([sum], [images], retain_graph: true)[0];
        var second = autograd.grad([sum], [images])[0];

        Assert.True(first.equal(second).all().item<bool>());
    }

    [Fact]
    public void Run_FirstOperationsFailInTheSecondRun_EndsTheBackwardPassWithTheReason()
    {
        using var scope = NewDisposeScope();
        var (norm, convolution) = (new GroupNorm(4, 32), new Conv2d(32, 32, 3, padding: 1));
        var images = randn([1, 32, 5, 5]).requires_grad_();
        var runs = 0;
        var sum = RecomputedInput.Run(
            convolution.AsFinal!,
            inputs => runs++ == 0 ? [norm.call(inputs[0])] : throw new InvalidOperationException("out of memory, say"),
            [norm],
            images).sum();

        Assert.ThrowsAny<Exception>(() => sum.backward());

        Assert.Equal("out of memory, say", BackwardPass.Failure?.Message);
    }

    [Fact]
    public void Run_FrozenNorm_LeavesItWithoutAGradient()
    {
        using var scope = NewDisposeScope();
        var (norm, convolution) = (new GroupNorm(4, 32), new Conv2d(32, 32, 3, padding: 1));
        norm.Weight.requires_grad_(false);
        var images = randn([1, 32, 5, 5]).requires_grad_();

        RecomputedInput.Run(convolution.AsFinal!, inputs => [norm.call(inputs[0])], [norm], images).sum().backward();

        Assert.True(norm.Weight.grad is null);
        Assert.NotNull(convolution.Weight.grad);
    }
}
