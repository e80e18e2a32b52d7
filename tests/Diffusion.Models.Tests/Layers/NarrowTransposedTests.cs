using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class NarrowTransposedTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(17);

    [Theory]
    [InlineData(1, 32, 64, 7, 5)]
    [InlineData(5, 64, 32, 14, 14)]
    [InlineData(3, 16, 16, 3, 4)]
    public void Forward_InBFloat16_GivesTheOutputAndTheGradientsOfFloat64(int images, int inChannels, int outChannels, int height, int width)
    {
        using var layer = new ConvTranspose2d(inChannels, outChannels, 4, stride: 2, padding: 1, generator: _generator);
        var (input, direction) = (Draw(images, inChannels, height, width), Draw(images, outChannels, 2 * height, 2 * width).add_(0.1));

        Diffusion.MemoryPoison.Spread();
        var found = All(layer, input, direction, ComputePrecision.BFloat16);
        layer.to(ScalarType.Float64);
        var exact = All(layer, input.to(ScalarType.Float64), direction.to(ScalarType.Float64), ComputePrecision.Float32);

        for (var i = 0; i < exact.Length; i++)
        {
            var error = ((found[i].to(ScalarType.Float64) - exact[i]).norm() / exact[i].norm()).item<double>();
            Assert.True(error < 4e-3, $"Tensor {i} is off by {error}.");
        }

        Assert.Equal([ScalarType.BFloat16, ScalarType.Float32, ScalarType.Float32, ScalarType.Float32], found.Select(tensor => tensor.dtype));
    }

    [Fact]
    public void Forward_GradientsOfGradients_AreThoseOfFloat64()
    {
        using var layer = new ConvTranspose2d(32, 32, 4, stride: 2, padding: 1, generator: _generator);
        var (input, direction) = (Draw(2, 32, 5, 5), Draw(2, 32, 10, 10));

        var second = Second(layer, input, direction, ComputePrecision.BFloat16);
        layer.to(ScalarType.Float64);
        var exact = Second(layer, input.to(ScalarType.Float64), direction.to(ScalarType.Float64), ComputePrecision.Float32);

        Assert.True(((second.to(ScalarType.Float64) - exact).norm() / exact.norm()).item<double>() < 1e-2);
    }

    [Fact]
    public void Forward_FrozenBias_GivesGradientsToTheRest()
    {
        using var layer = new ConvTranspose2d(32, 32, 4, stride: 2, padding: 1, generator: _generator);
        layer.Bias!.requires_grad = false;
        using var precision = MixedPrecision.Use(ComputePrecision.BFloat16);

        layer.call(Draw(2, 32, 5, 5)).sum().backward();

        Assert.Null(layer.Bias.grad);
        Assert.NotNull(layer.Weight.grad);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    /// <summary>The output and the gradients of input, weight and bias.</summary>
    private static Tensor[] All(ConvTranspose2d layer, Tensor input, Tensor direction, ComputePrecision precision)
    {
        using var used = MixedPrecision.Use(precision);
        var entering = input.detach().requires_grad_();
        var output = layer.call(entering);
        return [output.detach(), .. autograd.grad([output], [entering, layer.Weight, layer.Bias!], [direction.to(output.dtype)])];
    }

    private static Tensor Second(ConvTranspose2d layer, Tensor input, Tensor direction, ComputePrecision precision)
    {
        using var used = MixedPrecision.Use(precision);
        var entering = input.detach().requires_grad_();
        var output = layer.call(entering);
        var first = autograd.grad([output], [entering], [direction.to(output.dtype)], retain_graph: true, create_graph: true)[0];
        return autograd.grad([first.to(input.dtype).pow(2).sum()], [layer.Weight])[0];
    }

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
