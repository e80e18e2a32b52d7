using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class FusedPointwiseTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(7);
    private readonly int _threads = get_num_threads();

    [Theory]
    [InlineData(1, 16, 32, 4, 8, true)]
    [InlineData(3, 32, 16, 7, 7, true)] // a last tile that overlaps
    [InlineData(9, 48, 64, 6, 9, false)]
    [InlineData(2, 64, 96, 28, 28, true)]
    public void Apply_AndGradients_AgreeWithFloat64(int images, int inChannels, int outChannels, int height, int width, bool hasBias)
    {
        Tensor[] leaves = [.. Case(images, inChannels, outChannels, height, width).Take(hasBias ? 3 : 2)];
        if (!Pays(leaves))
        {
            Assert.Skip("no instructions for tiles of this type here");
        }

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
    [InlineData(9, 9)]
    [InlineData(28, 28)] // several pieces an image, the last of which ends in a tile that overlaps
    public void Apply_OtherNumberOfThreads_GivesTheSameBits(int height, int width)
    {
        var leaves = Case(5, 32, 64, height, width);
        if (!Pays(leaves))
        {
            Assert.Skip("no instructions for tiles of this type here");
        }

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

    [Fact]
    public void Backward_OfAGradient_AgreesWithLibtorch()
    {
        var leaves = Case(2, 16, 32, 8, 8);
        if (!Pays(leaves))
        {
            Assert.Skip("no instructions for tiles of this type here");
        }

        Tensor[] Second(Func<Tensor> forward)
        {
            var first = autograd.grad([forward().pow(3).sum()], [leaves[0]], retain_graph: true, create_graph: true)[0];
            return [.. autograd.grad([first.square().sum()], leaves)];
        }

        var expected = Second(() => PointwiseConvolution.Columns(leaves[0], leaves[1], leaves[2]));
        Assert.All(expected.Zip(Second(() => FusedPointwise.Apply(leaves[0], leaves[1], leaves[2]))), pair => AssertClose(pair.First.to(ScalarType.Float64), pair.Second));
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    private static bool Pays(Tensor[] leaves) => FusedPointwise.Pays(leaves[0], leaves[1]) || (AttentionTile.IsSupported ? throw new InvalidOperationException("It must pay here.") : false);

    private static void AssertClose(Tensor expected, Tensor actual) =>
        Assert.InRange((actual.to(ScalarType.Float64) - expected).norm().item<double>() / expected.norm().item<double>(), 0, 2e-6);

    private Tensor[] Case(int images, int inChannels, int outChannels, int height, int width) =>
    [
        randn([images, inChannels, height, width], generator: _generator).requires_grad_(),
        randn([outChannels, inChannels], generator: _generator).requires_grad_(),
        randn([outChannels], generator: _generator).requires_grad_(),
    ];
}
