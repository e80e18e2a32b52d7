using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class FusedPointwiseTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(7);
    private readonly int _threads = get_num_threads();

    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(
        Levels.WithTiles,
        (1, 16, 32, 4, 8, true),
        (3, 32, 16, 7, 7, true), // a last tile that overlaps
        (9, 48, 64, 6, 9, false),
        (2, 64, 96, 28, 28, true));

    /// <summary>The last: several pieces an image, of which the last ends in a tile that overlaps.</summary>
    public static TheoryDataRow[] Images { get; } = Levels.Rows(Levels.WithTiles, (9, 9), (28, 28));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Apply_AndGradients_AgreeWithFloat64(int images, int inChannels, int outChannels, int height, int width, bool hasBias, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        Tensor[] leaves = [.. Case(images, inChannels, outChannels, height, width).Take(hasBias ? 3 : 2)];
        Assert.True(CanRun(leaves));

        Tensor[] exact = [.. leaves.Select(leaf => leaf.detach().to(ScalarType.Float64).requires_grad_())];
        var direction = randn([images, outChannels, height, width], generator: _generator);
        var expected = nn.functional.conv2d(exact[0], exact[1].view(outChannels, inChannels, 1, 1), exact.ElementAtOrDefault(2)!);
        var expectedGradients = autograd.grad([expected], exact, [direction.to(ScalarType.Float64)]);

        var output = FusedPointwise.Apply(leaves[0], leaves[1], leaves.ElementAtOrDefault(2));
        var gradients = autograd.grad([output], leaves, [direction]);

        AssertClose(expected, output);
        Assert.All(expectedGradients.Zip(gradients), pair => AssertClose(pair.First, pair.Second));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits(int height, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var leaves = Case(5, 32, 64, height, width);
        Assert.True(CanRun(leaves));

        Tensor[] All()
        {
            var output = FusedPointwise.Apply(leaves[0], leaves[1], leaves[2]);
            return [output, .. autograd.grad([output.square().sum()], leaves)];
        }

        set_num_threads(1);
        var one = All();
        set_num_threads(3);

        for (var repeat = 0; repeat < 50; repeat++)
        {
            Assert.All(one.Zip(All()), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Backward_OfAGradient_AgreesWithLibtorch(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var leaves = Case(2, 16, 32, 8, 8);
        Assert.True(CanRun(leaves));

        Tensor[] Second(Func<Tensor> forward)
        {
            var first = autograd.grad([forward().pow(3).sum()], [leaves[0]], retain_graph: true, create_graph: true)[0];
            return [.. autograd.grad([first.square().sum()], leaves)];
        }

        var expected = Second(() => PlainPointwise.Forward(leaves[0], leaves[1], leaves[2], stride: 1));
        Assert.All(expected.Zip(Second(() => FusedPointwise.Apply(leaves[0], leaves[1], leaves[2]))), pair => AssertClose(pair.First.to(ScalarType.Float64), pair.Second));
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    /// <summary>A run that samples keeps what it made of a weight, once and not once a call.</summary>
    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Conv2d_ManyCallsOfARun_KeepsOneRoundedWeight(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        using var precision = MixedPrecision.Use(ComputePrecision.BFloat16);
        using var gradients = no_grad();
        using var run = new WeightCache();
        using var current = run.Enter();
        var layer = new Parameters(_generator).Convolution(32, 32, 1);
        var input = randn([1, 32, 8, 8], generator: _generator).to(ScalarType.BFloat16);
        Functional.Conv2d(input, layer).Dispose();
        GC.Collect(); // what earlier tests left to finalizers
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;

        for (var call = 0; call < 5; call++)
        {
            Functional.Conv2d(input, layer).Dispose();
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    private static bool CanRun(Tensor[] leaves) => FusedPointwise.CanRun(leaves[0], leaves[1]);

    private static void AssertClose(Tensor expected, Tensor actual) =>
        Assert.InRange((actual.to(ScalarType.Float64) - expected).norm().item<double>() / expected.norm().item<double>(), 0, 2e-6);

    private Tensor[] Case(int images, int inChannels, int outChannels, int height, int width) =>
    [
        randn([images, inChannels, height, width], generator: _generator).requires_grad_(),
        randn([outChannels, inChannels], generator: _generator).requires_grad_(),
        randn([outChannels], generator: _generator).requires_grad_(),
    ];
}
