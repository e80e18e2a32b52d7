using TorchSharp;
using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>What the layers promise besides their numbers, which <see cref="KernelGridTests"/> holds.</summary>
public sealed class ConvolutionLayerTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(23, CPU);

    public static TheoryData<int, int, int, int, int> Layers => new()
    {
        { 20, 33, 3, 1, 1 }, { 64, 64, 3, 2, 1 }, { 64, 1, 3, 1, 1 }, { 1, 64, 3, 1, 1 }, { 48, 3, 1, 1, 0 }, { 3, 48, 1, 2, 0 }, { 24, 40, 4, 2, 1 },
    };

    [Theory]
    [MemberData(nameof(Layers))]
    public void Forward_EitherLayout_KeepsItAndIsDense(int inChannels, int outChannels, int kernel, int stride, int padding)
    {
        using var convolution = new Conv2d(inChannels, outChannels, kernel, stride, padding, generator: _generator);
        using var transposed = new ConvTranspose2d(inChannels, outChannels, kernel, stride, padding, generator: _generator);
        foreach (var layer in (nn.Module<Tensor, Tensor>[])[convolution, transposed])
        {
            foreach (var channelsLast in (bool[])[false, true])
            {
                var output = layer.call(Images(inChannels, channelsLast));

                Assert.Equal(channelsLast, MemoryLayout.IsChannelsLast(output));
                Assert.True((channelsLast ? output.permute(0, 2, 3, 1) : output).is_contiguous());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Forward_Float64_EqualsReferenceThroughTheModule(int inChannels, int outChannels, int kernel, int stride, int padding)
    {
        using var layer = new Conv2d(inChannels, outChannels, kernel, stride, padding, generator: _generator);
        using var transposed = new ConvTranspose2d(inChannels, outChannels, kernel, stride, padding, generator: _generator);
        var shape = new ConvolutionShape(inChannels, outChannels, kernel, stride, padding);
        var input = Images(inChannels, channelsLast: false);
        using var gradients = no_grad();
        var single = (layer.call(input), transposed.call(input));

        layer.to(ScalarType.Float64);
        transposed.to(ScalarType.Float64);
        var exact = input.to(ScalarType.Float64);
        var (output, spread) = (layer.call(exact), transposed.call(exact));

        var reference = ConvolutionReference.Forward(exact, layer.Weight, layer.Bias!, output, shape).Output;
        var spreadReference = ConvolutionReference.Transposed(exact, transposed.Weight, transposed.Bias!, spread, shape).Output;
        Assert.InRange(KernelComparison.Error(output, reference), 0, KernelComparison.Tolerance(ScalarType.Float64));
        Assert.InRange(KernelComparison.Error(spread, spreadReference), 0, KernelComparison.Tolerance(ScalarType.Float64));
        Assert.InRange(KernelComparison.Error(single.Item1, reference), 0, KernelComparison.Tolerance(ScalarType.Float32));
        Assert.InRange(KernelComparison.Error(single.Item2, spreadReference), 0, KernelComparison.Tolerance(ScalarType.Float32));
    }

    [Fact]
    public void Backward_PaddedLayer_GivesGradientsOfTheParametersShapes()
    {
        using var layer = new Conv2d(3, 20, 3, padding: 1, generator: _generator);

        layer.call(Images(3, channelsLast: true)).sum().backward();

        Assert.Equal(layer.Weight.shape, layer.Weight.grad!.shape);
        Assert.Equal(layer.Bias!.shape, layer.Bias.grad!.shape);
        Assert.True(layer.Weight.grad.is_contiguous());
    }

    [Fact]
    public void Forward_NoBias_IsForwardWithoutIt()
    {
        foreach (var (kernel, stride) in ((int, int)[])[(1, 1), (1, 2), (3, 1)])
        {
            using var layer = new ConvTranspose2d(20, 24, kernel, stride, bias: false, generator: _generator);
            using var convolution = new Conv2d(20, 24, kernel, stride, bias: false, generator: _generator);
            var zero = zeros(1, 20, 7, 7);

            Assert.Null(layer.Bias);
            Assert.Null(convolution.Bias);
            Assert.Equal(0, layer.call(zero).abs().max().item<float>());
            Assert.Equal(0, convolution.call(zero).abs().max().item<float>());
        }
    }

    [Fact]
    public void Forward_PaddedLayer_LeavesOneTensorInTheScope()
    {
        using var layer = new Conv2d(3, 20, 3, padding: 1, generator: _generator);
        using var pointwise = new ConvTranspose2d(3, 20, 1, stride: 2, generator: _generator);
        var input = Images(3, channelsLast: false);
        using var scope = NewDisposeScope();

        layer.call(input);
        pointwise.call(input);

        Assert.Equal(2, scope.DisposablesCount);
        Assert.False(input.IsInvalid);
    }

    [Fact]
    public void Forward_NothingToPad_IsLibtorchsConvolutionAlone()
    {
        using var layer = new Conv2d(32, 64, 3, stride: 2, padding: 1, generator: _generator);
        var input = Images(32, channelsLast: false);

        var (ours, plain) = (layer.call(input), nn.functional.conv2d(input, layer.Weight, layer.Bias!, [2, 2], [1, 1]));

        Assert.Equal(plain.data<float>().ToArray(), ours.data<float>().ToArray());
    }

    [Fact]
    public void Constructor_OutOfRange_NamesArgumentAndValue()
    {
        Assert.Contains("-3", Assert.Throws<ArgumentOutOfRangeException>("inChannels", () => new Conv2d(-3, 4, 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("outChannels", () => new Conv2d(3, 0, 3));
        Assert.Throws<ArgumentOutOfRangeException>("kernelSize", () => new ConvTranspose2d(3, 4, 0));
        Assert.Throws<ArgumentOutOfRangeException>("stride", () => new ConvTranspose2d(3, 4, 3, stride: 0));
        Assert.Throws<ArgumentOutOfRangeException>("padding", () => new Conv2d(3, 4, 3, padding: -1));
        Assert.Throws<ArgumentOutOfRangeException>("inFeatures", () => new Linear(0, 4));
        Assert.Throws<ArgumentOutOfRangeException>("eps", () => new GroupNorm(2, 4, eps: 0));
        Assert.Contains("5 groups do not divide 48", Assert.Throws<ArgumentException>("groups", () => new GroupNorm(5, 48)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_WrongShape_NamesBothShapes()
    {
        using var layer = new Conv2d(3, 20, 3, generator: _generator);
        using var transposed = new ConvTranspose2d(3, 20, 3, generator: _generator);
        using var linear = new Linear(5, 6, generator: _generator);
        using var norm = new GroupNorm(2, 4);

        Assert.Contains("[B, 3, H, W]; it was given [2, 4, 7, 7]", Message(() => layer.call(zeros(2, 4, 7, 7))), StringComparison.Ordinal);
        Assert.Contains("[B, 3, H, W]; it was given [3, 7, 7]", Message(() => transposed.call(zeros(3, 7, 7))), StringComparison.Ordinal);
        Assert.Contains("[…, 5]; it was given [2, 6]", Message(() => linear.call(zeros(2, 6))), StringComparison.Ordinal);
        Assert.Contains("[B, 4, …]; it was given [2, 6, 7]", Message(() => norm.call(zeros(2, 6, 7))), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private static string Message(Action action) => Assert.Throws<ArgumentException>("input", action).Message;

    private Tensor Images(int channels, bool channelsLast) => MemoryLayout.Dense(randn([2, channels, 10, 10], generator: _generator), channelsLast);
}
