using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class NormedAttentionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(11);
    private readonly int _threads = get_num_threads();

    /// <summary>Images, channels, heads, width of a head, groups, height, width: tokens that fill no tile, heads that do not fill the channels, more images than pieces of work.</summary>
    public static TheoryData<int, int, int, int, int, int, int> Sizes() => new()
    {
        { 4, 32, 4, 8, 8, 12, 12 }, { 5, 48, 2, 8, 16, 13, 11 }, { 9, 16, 4, 4, 4, 12, 11 }, { 4, 64, 1, 64, 0, 16, 16 }, { 35, 32, 2, 16, 32, 8, 16 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Apply_AnySize_GivesTheOutputAndTheGradientsOfFloat64(int images, int channels, int heads, int headWidth, int groups, int height, int width)
    {
        foreach (var projection in Enum.GetValues<AttentionProjection>())
        {
            var layers = Layers(channels, heads, headWidth, groups, projection);
            var (input, direction) = (Draw(images, channels, height, width).mul_(2).add_(0.5), Draw(images, channels, height, width));
            Check(layers, input, direction, ScalarType.Float32, 2e-6);
            Check(layers, input.to(ScalarType.BFloat16), direction.to(ScalarType.BFloat16), ScalarType.BFloat16, 2e-2);
        }
    }

    [Fact]
    public void Apply_FewTokensInBFloat16_GivesTheOutputAndTheGradientsOfFloat64()
    {
        foreach (var (height, width) in ((int, int)[])[(7, 7), (6, 6), (5, 9)])
        {
            var layers = Layers(32, 4, 8, 8, AttentionProjection.Joint);
            Check(layers, Draw(6, 32, height, width).to(ScalarType.BFloat16), Draw(6, 32, height, width).to(ScalarType.BFloat16), ScalarType.BFloat16, 2e-2);
        }
    }

    [Fact]
    public void Apply_GradientsOfGradients_AreThoseOfFloat64()
    {
        foreach (var projection in Enum.GetValues<AttentionProjection>())
        {
            var layers = Layers(32, 2, 16, 8, projection);
            var (input, direction) = (Draw(4, 32, 12, 12), Draw(4, 32, 12, 12));

            var second = Second(layers, input, direction, ScalarType.Float32);
            var exact = Second(layers, input, direction, ScalarType.Float64);

            Assert.True(Distance(second, exact) / Norm(exact) < 4e-6, $"{Distance(second, exact) / Norm(exact)}");
        }
    }

    [Fact]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits()
    {
        var layers = Layers(64, 4, 16, 8, AttentionProjection.Joint);
        var (input, direction) = (Draw(9, 64, 12, 12), Draw(9, 64, 12, 12));
        set_num_threads(1);
        var one = All(layers, input, direction, ScalarType.Float32);
        set_num_threads(3);

        for (var repeat = 0; repeat < 10; repeat++)
        {
            Assert.All(one.Zip(All(layers, input, direction, ScalarType.Float32)), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
    }

    [Fact]
    public void Apply_FrozenProjections_GivesGradientsToTheRest()
    {
        var layers = Layers(32, 4, 8, 8, AttentionProjection.Separate);
        layers.Projections[1].Weight.requires_grad = false;
        layers.Last.Bias!.requires_grad = false;
        var input = Draw(4, 32, 12, 12).requires_grad_();

        NormedAttention.Apply(layers, input).sum().backward();

        Assert.Null(layers.Projections[1].Weight.grad);
        Assert.Null(layers.Last.Bias.grad);
        Assert.All(layers.Projections.Select(linear => linear.Bias!.grad), Assert.NotNull);
        Assert.True(input.grad!.abs().sum().item<float>() > 0);
    }

    [Fact]
    public void Apply_WithoutGradients_GivesTheSameBits()
    {
        foreach (var projection in Enum.GetValues<AttentionProjection>())
        {
            var (layers, input) = (Layers(32, 4, 8, 8, projection), Draw(7, 32, 12, 12));
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

    private static void Check(SelfAttentionLayers layers, Tensor input, Tensor direction, ScalarType type, double allowed)
    {
        Diffusion.MemoryPoison.Spread();
        var found = All(layers, input, direction, type);
        var exact = All(layers, input, direction, ScalarType.Float64);
        for (var i = 0; i < exact.Length; i++)
        {
            var error = Distance(found[i], exact[i]) / Math.Max(Norm(exact[i]), Norm(exact[1]) / 10); // the gradient of the keys' bias is 0: a softmax does not change with what all scores have in common
            Assert.True(error < allowed, $"Tensor {i} of {type}, {layers.Plan.Projection}, is off by {error}.");
        }
    }

    /// <summary>The output and the gradients of input, norm, projections and the last map.</summary>
    private static Tensor[] All(SelfAttentionLayers layers, Tensor input, Tensor direction, ScalarType type)
    {
        var (output, sources) = Run(layers, input, type);
        return [output.detach(), .. autograd.grad([output], sources, [direction.to(output.dtype)])];
    }

    private static Tensor Second(SelfAttentionLayers layers, Tensor input, Tensor direction, ScalarType type)
    {
        var (output, sources) = Run(layers, input, type);
        var first = autograd.grad([output], [sources[0]], [direction.to(output.dtype)], retain_graph: true, create_graph: true)[0];
        return autograd.grad([first.pow(2).sum()], [sources[0]])[0];
    }

    private static (Tensor Output, Tensor[] Sources) Run(SelfAttentionLayers layers, Tensor input, ScalarType type)
    {
        nn.Module[] modules = [.. layers.Norm is null ? [] : new nn.Module[] { layers.Norm }, .. layers.Projections, layers.Last];
        foreach (var module in modules)
        {
            module.to(type == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32);
        }

        var entering = input.to(type).detach().requires_grad_();
        Tensor[] sources = [entering, .. modules.SelectMany(module => module.parameters())];
        if (type == ScalarType.Float64)
        {
            var tokens = (layers.Norm?.call(entering) ?? entering).flatten(2).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
            var attended = AttentionProduct.Products(layers.Layout, [.. layers.Projections.Select(linear => linear.call(tokens))]);
            return (entering + layers.Last.call(attended).transpose(1, 2).reshape(entering.shape), sources);
        }

        using var precision = MixedPrecision.Use(type == ScalarType.BFloat16 ? ComputePrecision.BFloat16 : ComputePrecision.Float32);
        Assert.Equal(AttentionTile.IsSupported && (type == ScalarType.Float32 || TileProduct.MultipliesNarrow), NormedAttention.Pays(layers, entering));
        return (NormedAttention.Apply(layers, entering), sources);
    }

    private static double Distance(Tensor found, Tensor exact) => (found.to(ScalarType.Float64) - exact).norm().item<double>();

    private static double Norm(Tensor exact) => exact.norm().item<double>();

    private SelfAttentionLayers Layers(int channels, int heads, int headWidth, int groups, AttentionProjection projection)
    {
        var plan = new AttentionPlan(channels, heads, headWidth, projection) { Groups = groups, Eps = 1e-5 };
        var norm = groups == 0 ? null : new GroupNorm(groups, channels);
        using var gradients = no_grad();
        norm?.Weight.add_(Draw(channels).mul_(0.3));
        norm?.Bias.add_(Draw(channels).mul_(0.3));
        Linear[] projections = [.. Enumerable.Range(0, projection == AttentionProjection.Separate ? 3 : 1)
            .Select(_ => new Linear(channels, projection == AttentionProjection.Separate ? plan.Inner : 3 * plan.Inner, generator: _generator))];
        return new SelfAttentionLayers(plan, norm, projections, new Linear(plan.Inner, channels, generator: _generator));
    }

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
