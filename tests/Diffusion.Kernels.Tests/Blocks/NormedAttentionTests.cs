using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class NormedAttentionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(11);
    private readonly int _threads = get_num_threads();

    /// <summary>Images, channels, heads, width of a head, groups, height, width: tokens that fill no tile, heads that do not fill the channels, more images than pieces of work.</summary>
    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(
        Levels.WithTiles, (4, 32, 4, 8, 8, 12, 12), (5, 48, 2, 8, 16, 13, 11), (9, 16, 4, 4, 4, 12, 11), (4, 64, 1, 64, 0, 16, 16), (35, 32, 2, 16, 32, 8, 16), (6, 64, 4, 16, 8, 7, 7), (4, 32, 2, 16, 4, 6, 6));

    /// <summary>Queries, keys and values in three tensors, in one, and in one by heads.</summary>
    private static readonly Func<int, int, AttentionLayout>[] s_layouts = [AttentionLayout.Separate, AttentionLayout.Joint, AttentionLayout.JointByHead];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Apply_AnySize_GivesTheOutputAndTheGradientsOfFloat64(int images, int channels, int heads, int headWidth, int groups, int height, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var layout in s_layouts)
        {
            var layers = Layers(channels, heads, headWidth, groups, layout);
            var (input, direction) = (Draw(images, channels, height, width).mul_(2).add_(0.5), Draw(images, channels, height, width));
            foreach (var type in Levels.Types(level))
            {
                Check(layers, input.to(type), direction.to(type), type, type == ScalarType.Float32 ? 2e-6 : 2e-2);
            }
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_FewTokensInBFloat16_GivesTheOutputAndTheGradientsOfFloat64(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var (height, width) in ((int, int)[])[(7, 7), (6, 6), (5, 9)])
        {
            var layers = Layers(32, 4, 8, 8, AttentionLayout.Joint);
            Check(layers, Draw(6, 32, height, width).to(ScalarType.BFloat16), Draw(6, 32, height, width).to(ScalarType.BFloat16), ScalarType.BFloat16, 2e-2);
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_GradientsOfGradients_AreThoseOfFloat64(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var layout in s_layouts)
        {
            var layers = Layers(32, 2, 16, 8, layout);
            var (input, direction) = (Draw(4, 32, 12, 12), Draw(4, 32, 12, 12));

            var second = Second(layers, input, direction, ScalarType.Float32);
            var exact = Second(layers, input, direction, ScalarType.Float64);

            Assert.True(Distance(second, exact) / Norm(exact) < 4e-6, $"{Distance(second, exact) / Norm(exact)}");
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layers = Layers(64, 4, 16, 8, AttentionLayout.Joint);
        var (input, direction) = (Draw(9, 64, 12, 12), Draw(9, 64, 12, 12));
        set_num_threads(1);
        var one = All(layers, input, direction, ScalarType.Float32);
        set_num_threads(3);

        for (var repeat = 0; repeat < 10; repeat++)
        {
            Assert.All(one.Zip(All(layers, input, direction, ScalarType.Float32)), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_FrozenProjections_GivesGradientsToTheRest(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layers = Layers(32, 4, 8, 8, AttentionLayout.Separate);
        layers.Key!.Value.Weight.requires_grad = false;
        layers.Last.Bias!.requires_grad = false;
        var input = Draw(4, 32, 12, 12).requires_grad_();

        NormedAttention.Apply(layers, input).sum().backward();

        Assert.Null(layers.Key!.Value.Weight.grad);
        Assert.Null(layers.Last.Bias.grad);
        Assert.All(Enumerable.Range(0, 3).Select(i => layers.Projection(i).Bias!.grad), Assert.NotNull);
        Assert.True(input.grad!.abs().sum().item<float>() > 0);
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_WithoutGradients_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var layout in s_layouts)
        {
            var (layers, input) = (Layers(32, 4, 8, 8, layout), Draw(7, 32, 12, 12));
            var output = NormedAttention.Apply(layers, input);

            using var gradients = no_grad();

            Assert.True(NormedAttention.Apply(layers, input).equal(output).all().item<bool>());
            Assert.True(NormedAttention.Apply(layers, input[..2]).equal(output[..2]).all().item<bool>()); // few images go together
        }
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    private static void Check(SelfAttentionParameters layers, Tensor input, Tensor direction, ScalarType type, double allowed)
    {
        Diffusion.MemoryPoison.Spread();
        var found = All(layers, input, direction, type);
        var exact = All(layers, input, direction, ScalarType.Float64);
        for (var i = 0; i < exact.Length; i++)
        {
            var error = Distance(found[i], exact[i]) / Math.Max(Norm(exact[i]), Norm(exact[1]) / 10); // the gradient of the keys' bias is 0: a softmax does not change with what all scores have in common
            Assert.True(error < allowed, $"Tensor {i} of {type}, {layers.Projections} projections, is off by {error}.");
        }
    }

    /// <summary>The output and the gradients of input, norm, projections and the last map.</summary>
    private static Tensor[] All(SelfAttentionParameters layers, Tensor input, Tensor direction, ScalarType type)
    {
        var (output, sources) = Run(layers, input, type);
        return [output.detach(), .. autograd.grad([output], sources, [direction.to(output.dtype)])];
    }

    private static Tensor Second(SelfAttentionParameters layers, Tensor input, Tensor direction, ScalarType type)
    {
        var (output, sources) = Run(layers, input, type);
        var first = autograd.grad([output], [sources[0]], [direction.to(output.dtype)], retain_graph: true, create_graph: true)[0];
        return autograd.grad([first.pow(2).sum()], [sources[0]])[0];
    }

    private static (Tensor Output, Tensor[] Sources) Run(SelfAttentionParameters layers, Tensor input, ScalarType type)
    {
        Tensor[] parameters = [.. layers.Tensors().Select(tensor => tensor.detach().to(type == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32).requires_grad_())];
        var (then, entering) = (layers.With(parameters), input.to(type).detach().requires_grad_());
        Tensor[] sources = [entering, .. parameters];
        if (type == ScalarType.Float64)
        {
            return (Formulas.SelfAttention(entering, then), sources);
        }

        using var precision = MixedPrecision.Use(type == ScalarType.BFloat16 ? ComputePrecision.BFloat16 : ComputePrecision.Float32);
        Assert.True(NormedAttention.CanRun(then, entering));
        return (NormedAttention.Apply(then, entering), sources);
    }

    private static double Distance(Tensor found, Tensor exact) => (found.to(ScalarType.Float64) - exact).norm().item<double>();

    private static double Norm(Tensor exact) => exact.norm().item<double>();

    private SelfAttentionParameters Layers(int channels, int heads, int headWidth, int groups, Func<int, int, AttentionLayout> layout) =>
        new Parameters(_generator).Attention(layout(heads, headWidth), channels, groups, separate: layout == AttentionLayout.Separate);

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
