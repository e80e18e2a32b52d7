using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class NarrowConvolutionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(17);

    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(
        Levels.WithTiles, (true, 1, 32, 64, 7, 5), (true, 5, 64, 32, 14, 14), (true, 3, 16, 16, 3, 4), (false, 1, 32, 64, 7, 5), (false, 5, 64, 32, 14, 14), (false, 3, 16, 16, 4, 6));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Forward_InBFloat16_GivesTheOutputAndTheGradientsOfFloat64(bool transposed, int images, int inChannels, int outChannels, int height, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layer = new Parameters(_generator).Convolution(inChannels, outChannels, 4, stride: 2, padding: 1, transposed: transposed);
        var (outHeight, outWidth) = transposed ? (2 * height, 2 * width) : (height / 2, width / 2);
        var (input, direction) = (Draw(images, inChannels, height, width), Draw(images, outChannels, outHeight, outWidth).add_(0.1));

        Diffusion.MemoryPoison.Spread();
        var found = All(layer, input, direction, ComputePrecision.BFloat16, transposed);
        var exact = All(Wide(layer), input.to(ScalarType.Float64), direction.to(ScalarType.Float64), ComputePrecision.Float32, transposed);

        for (var i = 0; i < exact.Length; i++)
        {
            var error = ((found[i].to(ScalarType.Float64) - exact[i]).norm() / exact[i].norm()).item<double>();
            Assert.True(error < 4e-3, $"Tensor {i} is off by {error}.");
        }

        Assert.Equal([ScalarType.BFloat16, ScalarType.BFloat16, ScalarType.Float32, ScalarType.Float32], found.Select(tensor => tensor.dtype));
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Forward_GradientsOfGradients_AreThoseOfFloat64(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layer = new Parameters(_generator).Convolution(32, 32, 4, stride: 2, padding: 1, transposed: true);
        var (input, direction) = (Draw(2, 32, 5, 5), Draw(2, 32, 10, 10));

        var second = Second(layer, input, direction, ComputePrecision.BFloat16);
        var exact = Second(Wide(layer), input.to(ScalarType.Float64), direction.to(ScalarType.Float64), ComputePrecision.Float32);

        Assert.True(((second.to(ScalarType.Float64) - exact).norm() / exact.norm()).item<double>() < 1e-2);
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Forward_FrozenBias_GivesGradientsToTheRest(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layer = new Parameters(_generator).Convolution(32, 32, 4, stride: 2, padding: 1, transposed: true);
        layer.Bias!.requires_grad = false;

        Run(layer, Draw(2, 32, 5, 5).to(ScalarType.BFloat16)).sum().backward();

        Assert.Null(layer.Bias.grad);
        Assert.NotNull(layer.Weight.grad);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    /// <summary>The output and the gradients of input, weight and bias.</summary>
    private static Tensor[] All(ConvolutionParameters layer, Tensor input, Tensor direction, ComputePrecision precision, bool transposed)
    {
        var entering = input.detach().to(precision == ComputePrecision.BFloat16 ? ScalarType.BFloat16 : input.dtype).requires_grad_();
        var output = Run(layer, entering, transposed);
        return [output.detach(), .. autograd.grad([output], [entering, layer.Weight, layer.Bias!], [direction.to(output.dtype)])];
    }

    private static Tensor Second(ConvolutionParameters layer, Tensor input, Tensor direction, ComputePrecision precision)
    {
        var entering = input.detach().to(precision == ComputePrecision.BFloat16 ? ScalarType.BFloat16 : input.dtype).requires_grad_();
        var output = Run(layer, entering);
        var first = autograd.grad([output], [entering], [direction.to(output.dtype)], retain_graph: true, create_graph: true)[0];
        return autograd.grad([first.to(input.dtype).pow(2).sum()], [layer.Weight])[0];
    }

    private static Tensor Run(ConvolutionParameters layer, Tensor input, bool transposed = true)
    {
        if (input.dtype == ScalarType.Float64)
        {
            return transposed ? Formulas.ConvTranspose2d(input, layer) : Formulas.Conv2d(input, layer);
        }

        Assert.True(NarrowConvolution.CanRun(input, layer.Weight, layer.Bias, layer.Shape, transposed));
        return NarrowConvolution.Apply(input, layer.Weight, layer.Bias!, layer.Shape, transposed);
    }

    private static ConvolutionParameters Wide(ConvolutionParameters layer) => layer.With([.. layer.Tensors().Select(tensor => tensor.detach().to(ScalarType.Float64).requires_grad_())]);

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
