using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class NormedResidualTests : IDisposable
{
    private const int TimeDimension = 48;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(13);
    private readonly int _threads = get_num_threads();

    /// <summary>Images, channels in and out, groups, height, width: channels that fill no words of bfloat16, odd numbers of pixels, two channels a group and all in one, bands over several images.</summary>
    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(
        Levels.WithTiles, (1, 32, 64, 8, 5, 7), (5, 64, 32, 16, 7, 7), (2, 16, 48, 8, 8, 8), (9, 64, 64, 1, 6, 6), (2, 32, 16, 8, 28, 28));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Apply_AnySize_GivesTheOutputAndTheGradientsOfFloat64(int images, int inChannels, int outChannels, int groups, int height, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var rows in (int[])[1, images])
        {
            foreach (var projects in inChannels == outChannels ? (bool[])[false, true] : [true])
            {
                var layers = Layers(inChannels, outChannels, groups, projects);
                var (input, embedding, direction) = (Draw(images, inChannels, height, width).mul_(2).add_(0.5), Draw(rows, TimeDimension), Draw(images, outChannels, height, width));
                foreach (var type in Levels.Types(level))
                {
                    Check(layers, input.to(type), embedding, direction.to(type), type, null, type == ScalarType.Float32 ? 2e-6 : 2e-2);
                    Check(layers, input.to(type), embedding, direction.to(type), type, Mask(direction.shape, 0.3), type == ScalarType.Float32 ? 2e-6 : 2e-2);
                }
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
        foreach (var projects in (bool[])[false, true])
        {
            var layers = Layers(32, 32, 8, projects);
            var (input, embedding, direction) = (Draw(2, 32, 7, 7), Draw(2, TimeDimension), Draw(2, 32, 7, 7));

            foreach (var mask in (DropoutMask?[])[null, Mask(direction.shape, 0.3)])
            {
                var second = Second(layers, input, embedding, direction, ScalarType.Float32, mask);
                var exact = Second(layers, input, embedding, direction, ScalarType.Float64, mask);

                Assert.True(Error(second, exact) < 4e-6, $"{Error(second, exact)}");
            }
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layers = Layers(64, 32, 8, projects: true);
        var (input, embedding, direction) = (Draw(5, 64, 9, 9), Draw(5, TimeDimension), Draw(5, 32, 9, 9));
        var mask = Mask(direction.shape, 0.3);
        set_num_threads(1);
        var one = All(layers, input, embedding, direction, ScalarType.Float32, mask);

        for (var repeat = 0; repeat < 10; repeat++)
        {
            set_num_threads(2 + (repeat % 2));
            Assert.All(one.Zip(All(layers, input, embedding, direction, ScalarType.Float32, mask)), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2, 0)]
    [InlineData(ProcessorLevel.Avx512, 0)]
    [InlineData(ProcessorLevel.Avx512BFloat16, 0)]
    [InlineData(ProcessorLevel.Avx2, 0.4)]
    [InlineData(ProcessorLevel.Avx512, 0.4)]
    [InlineData(ProcessorLevel.Avx512BFloat16, 0.4)]
    public void Apply_FrozenLayers_GivesGradientsToTheRest(ProcessorLevel level, double dropout)
    {
        using var used = Levels.UseTiles(level);
        var layers = Layers(32, 32, 8, projects: true);
        foreach (var frozen in (Tensor[])[layers.Norm1.Weight, layers.Conv2.Weight, layers.Shortcut!.Value.Bias!])
        {
            frozen.requires_grad = false;
        }

        var input = Draw(2, 32, 6, 6).requires_grad_();

        NormedResidual.Apply(layers, input, Draw(2, TimeDimension), dropout > 0 ? Mask(input.shape, dropout) : null).sum().backward();

        Assert.Null(layers.Norm1.Weight.grad);
        Assert.Null(layers.Conv2.Weight.grad);
        Assert.Null(layers.Shortcut!.Value.Bias!.grad);
        Assert.NotNull(layers.Conv1.Weight.grad);
        Assert.NotNull(layers.Shortcut.Value.Weight.grad);
        Assert.True(input.grad!.abs().sum().item<float>() > 0);
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_SmallImagesWithoutGradients_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (layers, input, embedding) = (Layers(32, 64, 8, projects: true), Draw(3, 32, 9, 9), Draw(3, TimeDimension));
        foreach (var mask in (DropoutMask?[])[null, Mask([3, 64, 9, 9], 0.3)])
        {
            var output = NormedResidual.Apply(layers, input, embedding, mask);

            using var gradients = no_grad();

            Assert.True(NormedResidual.Apply(layers, input, embedding, mask).equal(output).all().item<bool>());
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
        var (layers, input, embedding) = (Layers(32, 64, 8, projects: true), Draw(3, 32, 13, 14), Draw(3, TimeDimension));
        var differentiated = NormedResidual.Apply(layers, input, embedding).detach();
        using var gradients = no_grad();

        TensorAssert.Identical(differentiated, ForwardOnly.Not(() => NormedResidual.Apply(layers, input, embedding)), "within a pass that is differentiated");
        var alone = NormedResidual.Apply(layers, input, embedding);

        Assert.False(alone.equal(differentiated).all().item<bool>());
        Assert.InRange(Error(alone, differentiated), 0, 2e-6);
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_EverythingDropped_GivesTheInputAndTheBias(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (layers, input) = (Layers(32, 32, 8, projects: false), Draw(2, 32, 5, 7));
        var mask = new DropoutMask(zeros(input.shape, ScalarType.Bool), 4);

        var output = NormedResidual.Apply(layers, input, Draw(1, TimeDimension), mask);

        TensorAssert.Close(input + Formulas.Pixels(layers.Conv2.Bias!), output, 1e-6, 1e-6, "output");
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    private static void Check(ResidualParameters layers, Tensor input, Tensor embedding, Tensor direction, ScalarType type, DropoutMask? mask, double allowed)
    {
        Diffusion.MemoryPoison.Spread();
        var found = All(layers, input, embedding, direction, type, mask);
        var exact = All(layers, input, embedding, direction, ScalarType.Float64, mask);
        for (var i = 0; i < exact.Length; i++)
        {
            Assert.True(Error(found[i], exact[i]) < allowed, $"Tensor {i} of {type} is off by {Error(found[i], exact[i])}.");
        }
    }

    /// <summary>The output and the gradients of input, embedding and the parameters of all layers.</summary>
    private static Tensor[] All(ResidualParameters layers, Tensor input, Tensor embedding, Tensor direction, ScalarType type, DropoutMask? mask)
    {
        var (output, sources) = Run(layers, input, embedding, type, mask);
        return [output.detach(), .. autograd.grad([output], sources, [direction.to(output.dtype)])];
    }

    private static Tensor Second(ResidualParameters layers, Tensor input, Tensor embedding, Tensor direction, ScalarType type, DropoutMask? mask)
    {
        var (output, sources) = Run(layers, input, embedding, type, mask);
        var first = autograd.grad([output], [sources[0]], [direction.to(output.dtype)], retain_graph: true, create_graph: true)[0];
        return autograd.grad([first.pow(2).sum()], [sources[0]])[0];
    }

    private static (Tensor Output, Tensor[] Sources) Run(ResidualParameters layers, Tensor input, Tensor embedding, ScalarType type, DropoutMask? mask)
    {
        var wide = type == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        Tensor[] parameters = [.. layers.Tensors().Select(tensor => tensor.detach().to(wide).requires_grad_())];
        var then = layers.With(parameters);
        var (entering, time) = (input.to(type).detach().requires_grad_(), embedding.to(wide).detach().requires_grad_());
        Tensor[] sources = [entering, time, .. parameters];
        if (type == ScalarType.Float64)
        {
            return (Formulas.ResidualBlock(entering, time, then, mask), sources);
        }

        using var precision = MixedPrecision.Use(type == ScalarType.BFloat16 ? ComputePrecision.BFloat16 : ComputePrecision.Float32);
        Assert.Equal(then.Shortcut is not { } shortcut || FusedPointwise.CanRun(entering, shortcut.Weight), NormedResidual.CanRun(then, entering, time));
        return (NormedResidual.Apply(then, entering, time, mask), sources);
    }

    private static DropoutMask Mask(long[] shape, double rate)
    {
        using var seeds = LayerSeeds.OfStep(5, firstImage: 0);
        return DropoutMask.Draw(shape, rate, CPU);
    }

    private static double Error(Tensor found, Tensor exact) => ((found.to(ScalarType.Float64) - exact).norm() / exact.norm()).item<double>();

    private ResidualParameters Layers(int inChannels, int outChannels, int groups, bool projects) => new Parameters(_generator).Residual(inChannels, outChannels, groups, TimeDimension, projects);

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
