using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class FusedLinearTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(7);
    private readonly int _threads = get_num_threads();

    private static readonly ITuple[] s_sizes =
    [
        .. from ofImages in (bool[])[false, true]
           from size in ((int, int, int, int, bool)[])
           [
               (1, 64, 32, 32, true),
               (3, 49, 32, 96, true), // a last row of its own
               (2, 196, 64, 32, false),
               (9, 9, 96, 64, true),
               (33, 4, 32, 32, true), // images smaller than a tile
               (2, 1000, 64, 192, true),
           ]
           select (ITuple)(size.Item1, size.Item2, size.Item3, size.Item4, ofImages, size.Item5),
    ];

    /// <summary>Images, tokens, features in and out, whether the tokens are the pixels of images, whether there is a bias.</summary>
    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(Levels.WithTiles, s_sizes);

    public static TheoryDataRow[] NarrowSizes { get; } = Levels.Rows(Levels.WithNarrowTiles, s_sizes);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Apply_AndGradients_AgreeWithFloat64(int images, int tokens, int inFeatures, int outFeatures, bool ofImages, bool hasBias, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (input, weight, bias) = Case(images, tokens, inFeatures, outFeatures, ofImages);
        Assert.True(CanRun(input, weight));

        Tensor[] leaves = hasBias ? [input, weight, bias] : [input, weight];
        Tensor[] exact = [.. leaves.Select(leaf => leaf.detach().to(ScalarType.Float64).requires_grad_())];
        var direction = randn([images, tokens, outFeatures], generator: _generator);
        var expected = nn.functional.linear(exact[0], exact[1], exact.ElementAtOrDefault(2)!);
        var expectedGradients = autograd.grad([expected], exact, [direction.to(ScalarType.Float64)]);

        var output = FusedLinear.Apply(input, weight, hasBias ? bias : null);
        var gradients = autograd.grad([output], leaves, [direction]);

        AssertClose(expected, output);
        foreach (var (one, other) in expectedGradients.Zip(gradients))
        {
            AssertClose(one, other);
        }

        using var none = no_grad();
        Assert.True(output.equal(FusedLinear.Apply(input, weight, hasBias ? bias : null)).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(NarrowSizes))]
    public void Apply_AndGradientsInBFloat16_AgreeWithFloat64(int images, int tokens, int inFeatures, int outFeatures, bool ofImages, bool hasBias, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (input, weight, bias) = Case(images, tokens, inFeatures, outFeatures, ofImages);
        input = input.detach().to(ScalarType.BFloat16).requires_grad_();
        Assert.True(CanRun(input, weight));

        Tensor[] leaves = hasBias ? [input, weight, bias] : [input, weight];
        Tensor[] exact = [.. leaves.Select(leaf => leaf.detach().to(ScalarType.Float64).requires_grad_())];
        var direction = randn([images, tokens, outFeatures], generator: _generator).to(ScalarType.BFloat16);
        var expected = nn.functional.linear(exact[0], exact[1], exact.ElementAtOrDefault(2)!);
        var expectedGradients = autograd.grad([expected], exact, [direction.to(ScalarType.Float64)]);

        var output = FusedLinear.Apply(input, weight, hasBias ? bias : null);
        var gradients = autograd.grad([output], leaves, [direction]);

        Assert.Equal(ofImages, !input.is_contiguous());
        Assert.Equal(ScalarType.BFloat16, output.dtype);
        AssertClose(expected, output, 4e-3); // weights and results are rounded
        AssertClose(expectedGradients[0], gradients[0], 4e-3);
        Assert.All(expectedGradients.Zip(gradients).Skip(1), pair => AssertClose(pair.First, pair.Second, 2e-6)); // sums are float32
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (input, weight, bias) = Case(5, 300, 64, 64, ofImages: true);
        Assert.True(CanRun(input, weight));

        Tensor[] All()
        {
            var output = FusedLinear.Apply(input, weight, bias);
            return [output, .. autograd.grad([output.square().sum()], [input, weight, bias])];
        }

        set_num_threads(1);
        var one = All();
        set_num_threads(3);

        for (var repeat = 0; repeat < 20; repeat++)
        {
            Assert.All(one.Zip(All()), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_FrozenWeight_GivesTheInputItsGradient(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (input, weight, bias) = Case(2, 64, 32, 64, ofImages: false);
        Assert.True(CanRun(input, weight));

        var gradient = autograd.grad([FusedLinear.Apply(input, weight.requires_grad_(false), bias.requires_grad_(false)).sum()], [input])[0];

        AssertClose(weight.to(ScalarType.Float64).sum([0L]).expand(gradient.shape), gradient);
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Backward_OfAGradient_AgreesWithLibtorch(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (input, weight, bias) = Case(2, 64, 32, 32, ofImages: true);
        Assert.True(CanRun(input, weight));

        Tensor[] Second(Func<Tensor> forward)
        {
            var first = autograd.grad([forward().pow(3).sum()], [input], retain_graph: true, create_graph: true)[0];
            return [.. autograd.grad([first.square().sum()], [input, weight, bias])];
        }

        foreach (var (one, other) in Second(() => nn.functional.linear(input, weight, bias)).Zip(Second(() => FusedLinear.Apply(input, weight, bias))))
        {
            AssertClose(one.to(ScalarType.Float64), other);
        }
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    private static bool CanRun(Tensor input, Tensor weight) => FusedLinear.CanRun(input, weight);

    private static void AssertClose(Tensor expected, Tensor actual, double allowed = 2e-6) =>
        Assert.InRange((actual.to(ScalarType.Float64) - expected).norm().item<double>() / expected.norm().item<double>(), 0, allowed);

    private (Tensor Input, Tensor Weight, Tensor Bias) Case(int images, int tokens, int inFeatures, int outFeatures, bool ofImages)
    {
        var input = ofImages ? randn([images, inFeatures, tokens], generator: _generator).transpose(1, 2) : randn([images, tokens, inFeatures], generator: _generator);
        return (input.requires_grad_(), randn([outFeatures, inFeatures], generator: _generator).requires_grad_(), randn([outFeatures], generator: _generator).requires_grad_());
    }
}
