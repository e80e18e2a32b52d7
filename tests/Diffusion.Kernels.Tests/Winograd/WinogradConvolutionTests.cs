using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class WinogradConvolutionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(7);
    private readonly int _threads = get_num_threads();

    private static readonly ITuple[] s_sizes =
    [
        (1, 32, 16, 2, 2),
        (3, 16, 32, 3, 5),
        (5, 32, 64, 7, 7),
        (2, 48, 96, 9, 8),
        (9, 64, 128, 4, 4), // bands over several images
        (2, 64, 64, 28, 28),
        (1, 32, 32, 5, 200), // more tiles in a row than in a band
        (1, 256, 192, 7, 7),
        (3, 16, 48, 13, 14), // from here on with larger tiles where nothing is differentiated
        (1, 64, 32, 33, 47),
        (9, 128, 64, 14, 14), // bands over several images
        (1, 512, 32, 13, 15),
        (1, 32, 32, 13, 300), // more tiles in a row than in a band
    ];

    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(Levels.WithTiles, s_sizes);

    public static TheoryDataRow[] NarrowSizes { get; } = Levels.Rows(Levels.WithNarrowTiles, s_sizes);

    public static TheoryDataRow[] Types { get; } = Levels.Rows(Levels.WithTiles, (IEnumerable<ScalarType>)[ScalarType.Float32, ScalarType.BFloat16]);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Forward_AndGradients_AgreeWithFloat64(int images, int inChannels, int outChannels, int height, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        Check(Case(images, inChannels, outChannels, height, width), 1e-6);
    }

    /// <summary>A convolution of values that are bfloat16 already rounds its weights, which is 2⁻⁹ of each at most; here what is multiplied is rounded after the transforms.</summary>
    [Theory]
    [MemberData(nameof(NarrowSizes))]
    public void Forward_AndGradientsInBFloat16_AgreeWithFloat64(int images, int inChannels, int outChannels, int height, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (input, weight, bias, direction) = Case(images, inChannels / 16 % 2 == 0 ? inChannels : inChannels + 16, outChannels / 16 % 2 == 0 ? outChannels : outChannels + 16, height, width);
        Check((input.to(ScalarType.BFloat16), weight, bias, direction.to(ScalarType.BFloat16)), 8e-3);
    }

    private static void Check((Tensor Input, Tensor Weight, Tensor Bias, Tensor Direction) values, double allowed)
    {
        var (input, weight, bias, direction) = values;
        Assert.True(CanRun(input, weight));

        var (exactInput, exactWeight, exactBias) = (Leaf(input), Leaf(weight), Leaf(bias));
        var exact = nn.functional.conv2d(exactInput, exactWeight, exactBias, [1L, 1L], [1L, 1L]);
        var expected = autograd.grad([exact], [exactInput, exactWeight, exactBias], [direction.to(ScalarType.Float64)]);

        var output = WinogradConvolution.For(input, weight).Forward(input, weight, bias);
        var (ofInput, ofWeight, ofBias) = WinogradConvolution.For(input, weight).Gradients(direction, input, weight);

        Assert.Equal((input.dtype, input.dtype, ScalarType.Float32), (output.dtype, ofInput.dtype, ofWeight.dtype));
        AssertClose(exact, output, allowed);
        using (no_grad())
        {
            AssertClose(exact, WinogradConvolution.For(input, weight).Forward(input, weight, bias), allowed);
        }

        AssertClose(expected[0], ofInput, allowed);
        AssertClose(expected[1], ofWeight, allowed);
        AssertClose(expected[2], ofBias, 1e-6);
    }

    /// <summary>Larger tiles round more than gradients allow.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void Conv2d_LargeImages_RoundsMoreOnlyWhereNothingIsDifferentiated(ScalarType type, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layer = new Parameters(_generator).Convolution(64, 64, 3, padding: 1);
        var input = randn([2, 64, 13, 16], generator: _generator).to(type);
        var exact = nn.functional.conv2d(input.to(ScalarType.Float64), layer.Weight.to(ScalarType.Float64), layer.Bias!.to(ScalarType.Float64), padding: [1, 1]);
        double Error(Tensor output) => (output.to(ScalarType.Float64) - exact).norm().item<double>();

        var (differentiated, gradient) = (Functional.Conv2d(input, layer).detach(), Functional.Conv2d(input.detach().requires_grad_(), layer).detach());
        using var gradients = no_grad();
        var (alone, within, small) = (Functional.Conv2d(input, layer), ForwardOnly.Not(() => Functional.Conv2d(input, layer)), Functional.Conv2d(input[.., .., ..12].contiguous(), layer));

        TensorAssert.Identical(differentiated, gradient, "of the weight and of the input");
        TensorAssert.Identical(differentiated, within, "within a pass that is differentiated");
        TensorAssert.Identical(differentiated[.., .., ..11], small[.., .., ..11], "of images with a side below 13, but for the last row");
        if (type == ScalarType.Float32)
        {
            Assert.InRange(Error(alone), 1.5 * Error(differentiated), 6 * Error(differentiated));
        }
        else if (Levels.WithNarrowTiles.Contains(level))
        {
            TensorAssert.Identical(differentiated, alone, "multiplied in bfloat16");
        }
        else
        {
            Assert.False(differentiated.equal(alone).all().item<bool>());
            Assert.InRange(Error(alone), 0, 1.01 * Error(differentiated)); // what is rounded is the output
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Conv2d_OneWeightAtTwoSizesInARun_GivesTheSameBitsAsOutsideOfIt(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        using var gradients = no_grad();
        var layer = new Parameters(_generator).Convolution(32, 32, 3, padding: 1);
        Tensor[] inputs = [randn([1, 32, 8, 8], generator: _generator), randn([1, 32, 16, 16], generator: _generator)];
        var expected = Array.ConvertAll(inputs, input => Functional.Conv2d(input, layer));

        using var cache = new WeightCache();
        using var run = cache.Enter();

        for (var repeat = 0; repeat < 2; repeat++)
        {
            TensorAssert.Identical(expected[0], Functional.Conv2d(inputs[0], layer), "8×8");
            TensorAssert.Identical(expected[1], Functional.Conv2d(inputs[1], layer), "16×16");
        }
    }

    public static TheoryDataRow[] Sides { get; } = Levels.Rows(Levels.WithTiles, (IEnumerable<int>)[9, 14]);

    [Theory]
    [MemberData(nameof(Sides))]
    public void Forward_OtherNumberOfThreadsOrOtherImagesBeside_GivesTheSameBits(int side, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        using var gradients = no_grad();
        var (input, weight, bias, direction) = Case(5, 64, 64, side, side);
        Assert.True(CanRun(input, weight));

        Tensor[] All()
        {
            var (ofInput, ofWeight, _) = WinogradConvolution.For(input, weight).Gradients(direction, input, weight);
            return [WinogradConvolution.For(input, weight).Forward(input, weight, bias), ofInput, ofWeight];
        }

        set_num_threads(1);
        var one = All();
        set_num_threads(3);
        var last = WinogradConvolution.For(input, weight).Forward(input[4..5].contiguous(), weight, bias);

        for (var repeat = 0; repeat < 20; repeat++)
        {
            Assert.All(one.Zip(All()), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }

        Assert.True(one[0][4..5].equal(last).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void Forward_NotANumberInOneImage_ReachesThatImageOnly(int side, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        using var gradients = no_grad();
        var (input, weight, bias, _) = Case(4, 32, 32, side, side);
        Assert.True(CanRun(input, weight));

        input[1, 0, 0, 0] = float.NaN;

        var bad = WinogradConvolution.For(input, weight).Forward(input, weight, bias).isnan().flatten(1).any(1);

        Assert.Equal([false, true, false, false], bad.data<bool>().ToArray());
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Conv2d_WithoutGradients_IsWinogradAndChangesWithTheWeight(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layer = new Parameters(_generator).Convolution(32, 32, 3, padding: 1);
        var input = randn([2, 32, 8, 8], generator: _generator);
        using var gradients = no_grad();
        Assert.True(CanRun(input, layer.Weight));

        var before = Functional.Conv2d(input, layer);
        layer.Weight.mul_(2);
        layer.Bias!.mul_(2);

        Assert.True(before.equal(WinogradConvolution.For(input, layer.Weight).Forward(input, layer.Weight / 2, layer.Bias / 2)).all().item<bool>());
        AssertClose((before * 2).to(ScalarType.Float64), Functional.Conv2d(input, layer));
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    private static bool CanRun(Tensor input, Tensor weight) =>
        WinogradConvolution.CanRun(input, weight, new ConvolutionShape((int)weight.shape[1], (int)weight.shape[0], 3, 1, 1));

    private static Tensor Leaf(Tensor tensor) => tensor.to(ScalarType.Float64).requires_grad_();

    private static void AssertClose(Tensor expected, Tensor actual, double allowed = 1e-6) =>
        Assert.InRange((actual.to(ScalarType.Float64) - expected).norm().item<double>() / expected.norm().item<double>(), 0, allowed);

    private (Tensor Input, Tensor Weight, Tensor Bias, Tensor Direction) Case(int images, int inChannels, int outChannels, int height, int width) => (
        randn([images, inChannels, height, width], generator: _generator),
        randn([outChannels, inChannels, 3, 3], generator: _generator),
        randn([outChannels], generator: _generator),
        randn([images, outChannels, height, width], generator: _generator));
}
