using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class RecomputedInputTests
{
    /// <summary>Channels that are padded, and others; of a convolution of stride 2, and in bfloat16.</summary>
    public static TheoryDataRow[] Cases { get; } = Levels.Rows(
        Levels.All, (8, 24, 1, 1, ComputePrecision.Float32), (32, 64, 1, 1, ComputePrecision.Float32), (32, 32, 2, 0, ComputePrecision.Float32), (32, 64, 1, 1, ComputePrecision.BFloat16));

    public static TheoryData<ProcessorLevel> All { get; } = [.. Levels.All];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_NormAndConvolution_HasTheGradientsOfSingleOperations(int inChannels, int outChannels, int stride, int padding, ComputePrecision precision, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        using var chosen = MixedPrecision.Use(precision);
        var draw = new Parameters(generator);
        var (norm, convolution) = (draw.Norm(4, inChannels), draw.Convolution(inChannels, outChannels, 3, stride, padding));
        var images = randn([2, inChannels, 13, 14], generator: generator).to(precision == ComputePrecision.BFloat16 && Processor.UsesBFloat16 ? ScalarType.BFloat16 : ScalarType.Float32).requires_grad_();
        var leaves = new Tensor[] { images, norm.Weight, norm.Bias, convolution.Weight, convolution.Bias! };

        var plain = Functional.Conv2d(nn.functional.silu(Functional.GroupNorm(images, norm)), convolution);
        var expected = autograd.grad([plain.to(ScalarType.Float32).square().sum()], leaves);
        var output = RecomputedInput.Run(new FinalConvolution(convolution), (inputs, parameters) => [nn.functional.silu(Functional.GroupNorm(inputs[0], norm.With([.. parameters])))], norm.Tensors(), images);
        var gradients = autograd.grad([output.to(ScalarType.Float32).square().sum()], leaves);

        Assert.True(plain.equal(output).all().item<bool>());
        foreach (var (gradient, other) in gradients.Zip(expected))
        {
            Assert.Equal(other.dtype, gradient.dtype);
            Assert.True((gradient - other).to(ScalarType.Float64).norm().item<double>() <= 1e-6 * other.to(ScalarType.Float64).norm().item<double>());
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Run_GradientOfAGradient_IsThatOfSingleOperations(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var draw = new Parameters(generator);
        var (norm, convolution) = (draw.Norm(4, 32), draw.Convolution(32, 32, 3, padding: 1));
        var images = randn([1, 32, 5, 5], generator: generator).requires_grad_();
        Tensor Second(Func<Tensor> forward)
        {
            var first = autograd.grad([forward().square().sum()], [images], retain_graph: true, create_graph: true)[0];
            return autograd.grad([first.square().sum()], [images])[0];
        }

        var expected = Second(() => Functional.Conv2d(nn.functional.silu(Functional.GroupNorm(images, norm)), convolution));
        var second = Second(() => RecomputedInput.Run(new FinalConvolution(convolution), (inputs, parameters) => [nn.functional.silu(Functional.GroupNorm(inputs[0], norm.With([.. parameters])))], norm.Tensors(), images));

        Assert.True((second - expected).norm().item<float>() <= 1e-5 * expected.norm().item<float>());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Run_WalkedTwice_GivesTheSameGradientsTwice(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var draw = new Parameters(generator);
        var (norm, convolution) = (draw.Norm(4, 32), draw.Convolution(32, 32, 3, padding: 1));
        var images = randn([1, 32, 5, 5], generator: generator).requires_grad_();
        var sum = RecomputedInput.Run(new FinalConvolution(convolution), (inputs, parameters) => [Functional.GroupNorm(inputs[0], norm.With([.. parameters]))], norm.Tensors(), images).sum();

        var first = autograd.grad([sum], [images], retain_graph: true)[0];
        var second = autograd.grad([sum], [images])[0];

        Assert.True(first.equal(second).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Run_FirstOperationsFailInTheSecondRun_EndsTheBackwardPassWithTheReason(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var draw = new Parameters(generator);
        var (norm, convolution) = (draw.Norm(4, 32), draw.Convolution(32, 32, 3, padding: 1));
        var images = randn([1, 32, 5, 5], generator: generator).requires_grad_();
        var runs = 0;
        var sum = RecomputedInput.Run(
            new FinalConvolution(convolution),
            (inputs, parameters) => runs++ == 0 ? [Functional.GroupNorm(inputs[0], norm.With([.. parameters]))] : throw new InvalidOperationException("out of memory, say"),
            norm.Tensors(),
            images).sum();

        BackwardPass.Failure = null;
        Assert.ThrowsAny<Exception>(() => sum.backward());

        Assert.Equal("out of memory, say", BackwardPass.Failure?.Message);
        Assert.True(is_grad_enabled()); // the failure ends the pass, and leaves the thread as it was
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Run_FrozenNorm_LeavesItWithoutAGradient(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var draw = new Parameters(generator);
        var (norm, convolution) = (draw.Norm(4, 32), draw.Convolution(32, 32, 3, padding: 1));
        norm.Weight.requires_grad_(false);
        var images = randn([1, 32, 5, 5], generator: generator).requires_grad_();

        RecomputedInput.Run(new FinalConvolution(convolution), (inputs, parameters) => [Functional.GroupNorm(inputs[0], norm.With([.. parameters]))], norm.Tensors(), images).sum().backward();

        Assert.True(norm.Weight.grad is null);
        Assert.NotNull(convolution.Weight.grad);
    }
}
