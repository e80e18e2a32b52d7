using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class NormedConvolutionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(7);
    private readonly int _threads = get_num_threads();

    /// <summary>Images, channels in and out, groups, height, width: odd numbers of pixels, one channel a group, bands over several images.</summary>
    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(
        Levels.WithTiles, (1, 32, 64, 8, 3, 5), (5, 64, 32, 64, 7, 7), (2, 96, 32, 8, 9, 8), (9, 64, 64, 1, 4, 4), (2, 32, 32, 8, 28, 28));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Apply_AnySize_GivesTheOutputAndTheGradientsOfFloat64(int images, int inChannels, int outChannels, int groups, int height, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var added in (int[])[0, 1, images])
        {
            var layers = Layers(inChannels, outChannels, groups);
            var (input, shift) = (Draw(images, inChannels, height, width).mul_(2).add_(0.5), added == 0 ? null : Draw(added, outChannels));
            var direction = Draw(images, outChannels, height, width);
            foreach (var type in Levels.Types(level))
            {
                Check(layers, input.to(type), shift, direction.to(type), type, type == ScalarType.Float32 ? 1e-6 : 1e-2);
            }
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_GradientsOfGradients_AreThoseOfFloat64(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layers = Layers(32, 32, 8);
        var (input, shift, direction) = (Draw(2, 32, 5, 5), Draw(2, 32), Draw(2, 32, 5, 5));

        var second = Second(layers, input, shift, direction, ScalarType.Float32);
        var exact = Second(layers, input, shift, direction, ScalarType.Float64);

        Assert.True(Error(second, exact) < 2e-6, $"{Error(second, exact)}");
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layers = Layers(64, 32, 8);
        var (input, shift, direction) = (Draw(5, 64, 9, 9), Draw(5, 32), Draw(5, 32, 9, 9));
        set_num_threads(1);
        var one = All(layers, input, shift, direction, ScalarType.Float32);
        set_num_threads(3);

        for (var repeat = 0; repeat < 20; repeat++)
        {
            Assert.All(one.Zip(All(layers, input, shift, direction, ScalarType.Float32)), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
    }

    /// <summary>Without gradients convolutions take larger tiles, which round more.</summary>
    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_LargeImages_RoundsMoreOnlyWhereNothingIsDifferentiated(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var ((norm, convolution), input) = (Layers(32, 64, 8), Draw(3, 32, 13, 14));
        var differentiated = NormedConvolution.Apply(input, norm, convolution, null).detach();
        using var gradients = no_grad();

        TensorAssert.Identical(differentiated, ForwardOnly.Not(() => NormedConvolution.Apply(input, norm, convolution, null)), "within a pass that is differentiated");
        var alone = NormedConvolution.Apply(input, norm, convolution, null);

        Assert.False(alone.equal(differentiated).all().item<bool>());
        Assert.InRange(Error(alone, differentiated), 0, 2e-6);
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_FrozenNorm_GivesGradientsToTheRest(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (norm, convolution) = Layers(32, 32, 8);
        norm.Weight.requires_grad = false;
        norm.Bias.requires_grad = false;
        var input = Draw(2, 32, 6, 6).requires_grad_();

        NormedConvolution.Apply(input, norm, convolution, null).sum().backward();

        Assert.Null(norm.Weight.grad);
        Assert.NotNull(convolution.Weight.grad);
        Assert.True(input.grad!.abs().sum().item<float>() > 0);
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    private static void Check((NormParameters Norm, ConvolutionParameters Convolution) layers, Tensor input, Tensor? shift, Tensor direction, ScalarType type, double allowed)
    {
        Diffusion.MemoryPoison.Spread();
        var found = All(layers, input, shift, direction, type);
        var exact = All(layers, input, shift, direction, ScalarType.Float64);
        for (var i = 0; i < exact.Length; i++)
        {
            Assert.True(Error(found[i], exact[i]) < allowed, $"Tensor {i} of {type} is off by {Error(found[i], exact[i])}.");
        }
    }

    /// <summary>The output and the gradients of input, norm, convolution and what is added.</summary>
    private static Tensor[] All((NormParameters Norm, ConvolutionParameters Convolution) layers, Tensor input, Tensor? shift, Tensor direction, ScalarType type)
    {
        var (output, sources) = Run(layers, input, shift, type);
        return [output.detach(), .. autograd.grad([output], sources, [direction.to(output.dtype)])];
    }

    private static Tensor Second((NormParameters Norm, ConvolutionParameters Convolution) layers, Tensor input, Tensor shift, Tensor direction, ScalarType type)
    {
        var (output, sources) = Run(layers, input, shift, type);
        var first = autograd.grad([output], [sources[0]], [direction.to(output.dtype)], retain_graph: true, create_graph: true)[0];
        return autograd.grad([first.pow(2).sum()], [sources[0]])[0];
    }

    private static (Tensor Output, Tensor[] Sources) Run((NormParameters Norm, ConvolutionParameters Convolution) layers, Tensor input, Tensor? shift, ScalarType type)
    {
        var (wide, exact) = (type == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32, type == ScalarType.Float64);
        Tensor[] parameters = [.. layers.Norm.Tensors().Concat(layers.Convolution.Tensors()).Select(tensor => tensor.detach().to(wide).requires_grad_())];
        var (norm, convolution) = (layers.Norm.With(parameters), layers.Convolution.With(parameters.AsSpan(2)));
        Tensor[] inputs = [.. new[] { input.to(type), shift?.to(wide) }.OfType<Tensor>().Select(tensor => tensor.detach().requires_grad_())];
        Tensor[] sources = [inputs[0], .. parameters, .. inputs[1..]];
        var added = inputs.ElementAtOrDefault(1);
        if (exact)
        {
            return (Formulas.NormSiluConv2d(inputs[0], norm, convolution, added), sources);
        }

        using var precision = MixedPrecision.Use(type == ScalarType.BFloat16 ? ComputePrecision.BFloat16 : ComputePrecision.Float32);
        Assert.True(NormedConvolution.CanRun(inputs[0], norm, convolution));
        return (NormedConvolution.Apply(inputs[0], norm, convolution, added), sources);
    }

    private static double Error(Tensor found, Tensor exact) => ((found.to(ScalarType.Float64) - exact).norm() / exact.norm()).item<double>();

    private (NormParameters Norm, ConvolutionParameters Convolution) Layers(int inChannels, int outChannels, int groups)
    {
        var draw = new Parameters(_generator);
        return (draw.Norm(groups, inChannels), draw.Convolution(inChannels, outChannels, 3, padding: 1));
    }

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
