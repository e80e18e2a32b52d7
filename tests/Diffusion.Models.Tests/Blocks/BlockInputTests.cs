using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Blocks read native memory: what does not fit is refused before, with gradients and without, and settings of the program do not change what they allocate.</summary>
public sealed class BlockInputTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(3, CPU);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ResidualBlock_OtherShapes_AreRefused(bool differentiates)
    {
        var block = new ResidualBlock(32, 32, Options, _generator);
        using var gradients = set_grad_enabled(differentiates);

        Assert.Contains("[B, 32, H, W]; it was given [4, 64, 8, 8]", Message(() => block.call(Draw(4, 64, 8, 8), Draw(1, 128))), StringComparison.Ordinal);
        Assert.Contains("[B, 32, H, W]; it was given [4, 16, 8, 8]", Message(() => block.call(Draw(4, 16, 8, 8), Draw(1, 128))), StringComparison.Ordinal);
        Assert.Contains("4 images as [4 or 1, 128]; it was given [2, 128]", Message(() => block.call(Draw(4, 32, 8, 8), Draw(2, 128))), StringComparison.Ordinal);
        Assert.Contains("4 images as [4 or 1, 128]; it was given [4, 64]", Message(() => block.call(Draw(4, 32, 8, 8), Draw(4, 64))), StringComparison.Ordinal);
        Assert.Contains("1 images as [1, 128]; it was given [4, 128]", Message(() => block.call(Draw(1, 32, 8, 8), Draw(4, 128))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SelfAttention_OtherChannels_AreRefused(bool differentiates)
    {
        var block = new SelfAttention(64, 4, Options, _generator);
        using var gradients = set_grad_enabled(differentiates);

        Assert.Contains("[B, 64, H, W]; it was given [4, 128, 12, 12]", Message(() => block.call(Draw(4, 128, 12, 12))), StringComparison.Ordinal);
        Assert.Contains("[B, 64, H, W]; it was given [4, 32, 12, 12]", Message(() => block.call(Draw(4, 32, 12, 12))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float64)]
    public void Blocks_AnotherDefaultType_GiveTheSameBits(ScalarType type)
    {
        var network = UNetBuilder.From(Options).Build(seed: 1);
        var (images, timesteps) = (Draw(4, 1, 28, 28), tensor(new[] { 300L }));
        var expected = Outcome(network, images, timesteps);
        var before = get_default_dtype();
        try
        {
            set_default_dtype(type);

            TensorAssert.Identical(expected, Outcome(network, images, timesteps));
        }
        finally
        {
            set_default_dtype(before);
        }
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private static UNetOptions Options { get; } = UNetPresets.Course(new ImageShape(1, 28, 28));

    private static string Message(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;

    private static Dictionary<string, Tensor> Outcome(UNet network, Tensor images, Tensor timesteps)
    {
        network.zero_grad();
        var output = network.call(images, timesteps);
        output.square().mean().backward();
        return network.named_parameters().Select(entry => (entry.name, Value: entry.parameter.grad!.clone())).Append(("output", output.detach())).ToDictionary();
    }

    private Tensor Draw(params long[] shape) => randn(shape, ScalarType.Float32, generator: _generator);
}
