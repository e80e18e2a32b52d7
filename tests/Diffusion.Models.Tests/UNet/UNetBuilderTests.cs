using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class UNetBuilderTests
{
    private static readonly UNetBuilder s_small = UNetBuilder.ForImages(channels: 1, size: 28).With(options => options with { TimeDimension = 16 });

    [Fact]
    public void Build_Mirrored_ComputesImagesOfTheSameShape()
    {
        using var scope = NewDisposeScope();
        using var unet = s_small.Down(8, layers: 1).Down(16, layers: 1, attention: true).Mid(16).Build();
        Assert.Equal([2, 1, 28, 28], unet.call(randn(2, 1, 28, 28), tensor([3L, 900L])).shape);
    }

    [Theory]
    [InlineData(Downsampling.Convolution3, Upsampling.Nearest, 28, 28)]
    [InlineData(Downsampling.Convolution4, Upsampling.Transposed, 28, 28)]
    [InlineData(Downsampling.Convolution3, Upsampling.Transposed, 30, 45)]
    [InlineData(Downsampling.Convolution4, Upsampling.Transposed, 7, 13)]
    [InlineData(Downsampling.Convolution3, Upsampling.Nearest, 7, 9)]
    public void Build_EveryResampling_FitsOddSizes(Downsampling down, Upsampling up, int height, int width)
    {
        using var scope = NewDisposeScope();
        using var unet = UNetBuilder.ForImages(new ImageShape(3, height, width))
            .With(options => options with { Downsampling = down, Upsampling = up, TimeDimension = 16 })
            .Down(8, layers: 1).Down(8, layers: 1).Down(16, layers: 1).Mid(16).Build();
        Assert.Equal([1, 3, height, width], unet.call(randn(1, 3, height, width), tensor([3L])).shape);
    }

    [Fact]
    public void Build_ExplicitUpBlocks_HaveTheirOwnWidths()
    {
        using var unet = s_small.Down(8, layers: 1).Down(16, layers: 2).Mid(16, layers: 0).Up(24, layers: 1).Up(8, layers: 3).Build();
        var state = unet.state_dict();
        Assert.Equal([24, 16 + 8, 3, 3], state["up.0.layers.residuals.0.conv1.weight"].shape);
        Assert.Equal([8, 24 + 8, 3, 3], state["up.1.layers.residuals.0.conv1.weight"].shape);
        Assert.Contains("up.1.layers.residuals.2.conv2.bias", state.Keys);
        Assert.DoesNotContain(state.Keys, key => key.StartsWith("mid.0.attentions", StringComparison.Ordinal));
    }

    [Fact]
    public void Build_StateKeys_AreTheseAndNoOthers()
    {
        using var unet = s_small.Down(8, layers: 1).Down(16, layers: 1, attention: true).Mid(16).Build();
        var keys = unet.state_dict().Keys.Select(key => key[..key.LastIndexOf('.')]).Distinct();
        string[] residual = ["norm1", "conv1", "time", "norm2", "conv2"];
        Assert.Equal(
            [
                "conv_in", "time.linear1", "time.linear2",
                .. residual.Select(part => "down.0.layers.residuals.0." + part), "down.0.downsample",
                .. residual.Append("shortcut").Select(part => "down.1.layers.residuals.0." + part),
                .. new[] { "norm", "qkv", "out" }.Select(part => "down.1.layers.attentions.0." + part),
                .. residual.Select(part => "mid.0.residuals.0." + part), .. residual.Select(part => "mid.0.residuals.1." + part),
                .. new[] { "norm", "qkv", "out" }.Select(part => "mid.0.attentions.0." + part),
                .. residual.Append("shortcut").Select(part => "up.0.layers.residuals.0." + part),
                .. new[] { "norm", "qkv", "out" }.Select(part => "up.0.layers.attentions.0." + part),
                "up.1.upsample", .. residual.Append("shortcut").Select(part => "up.1.layers.residuals.0." + part),
                "norm_out", "conv_out",
            ],
            keys);
    }

    [Fact]
    public void Build_PoisonedMemory_IsBornWithTheDocumentedWeights()
    {
        Diffusion.MemoryPoison.Spread();
        using var unet = s_small.Down(8, layers: 1).Down(32, layers: 1, attention: true).Mid(32).Build(seed: 5);
        foreach (var (name, parameter) in unet.named_parameters())
        {
            Assert.True(parameter.isfinite().all().item<bool>(), name);
            var (mean, largest) = (parameter.mean().item<float>(), parameter.abs().max().item<float>());
            if (name.Contains("norm", StringComparison.Ordinal))
            {
                Assert.True(parameter.eq(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0).all().item<bool>(), name);
            }
            else if (name.Contains("conv2.", StringComparison.Ordinal) || name.Contains(".out.", StringComparison.Ordinal) || name.StartsWith("conv_out.", StringComparison.Ordinal))
            {
                Assert.True(parameter.eq(0).all().item<bool>(), name); // ends a residual branch
            }
            else if (parameter.dim() > 1)
            {
                var bound = 1 / Math.Sqrt(parameter.numel() / (double)parameter.shape[0]); // U(−1/√fan-in, 1/√fan-in)
                Assert.InRange(largest, 0.8 * bound, bound);
                Assert.InRange(mean, -0.2 * bound, 0.2 * bound);
            }
        }
    }

    [Fact]
    public void Build_SameSeed_GivesTheSameBits()
    {
        var builder = s_small.Down(8, layers: 1).Mid(8);
        using var one = builder.Build(seed: 1);
        using var same = builder.Build(seed: 1);
        using var other = builder.Build(seed: 2);
        TensorAssert.Identical(Weights.Snapshot(one), Weights.Snapshot(same));
        Assert.False(one.state_dict()["conv_in.weight"].eq(other.state_dict()["conv_in.weight"]).all().item<bool>());
    }

    [Fact]
    public void Build_ImpossibleList_NamesEveryMistakeBeforeAnythingIsAllocated()
    {
        var builder = UNetBuilder.ForImages(1, 4).With(options => options with { TimeDimension = 15 })
            .Down(20).Down(16, attention: true, heads: 3).Down(32).Down(32).Down(8, layers: 0).Up(8, upsample: true).Up(8).Up(8).Up(8).Up(8, upsample: false);
        var before = LiveTensors.Settled();
        var message = Assert.Throws<ArgumentException>(() => builder.Build()).Message;
        Assert.Equal(before, Tensor.TotalCount);
        foreach (var expected in new[]
        {
            "TimeDimension: must be even and at least 2; it is 15",
            "Down[0].Channels: must be a positive multiple of NormGroups, 8; it is 20",
            "Down[1].Heads: must divide the block's 16 channels; it is 3",
            "Down[4].Layers: must be at least 1; it is 0",
            "Down[2].Downsample: cannot halve an image of 1×1 pixels: 4×4 allows 2 halvings",
            "Up[0].Upsample: must be false, as Down[4] at the same depth does not halve its image; it is true",
            "Up[4].Upsample: must be true, as Down[0] at the same depth halves its image; it is false",
        })
        {
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Build_MissingBlocks_SaysSo()
    {
        Assert.Contains("Up[0].Channels: must be a positive multiple of NormGroups, 8; it is 20 (level 1, where 16 channels enter)", Assert.Throws<ArgumentException>(() => s_small.Down(8).Down(16).Up(20).Up(8).Build()).Message, StringComparison.Ordinal);
        Assert.Contains("Down: must have at least one block", Assert.Throws<ArgumentException>(() => s_small.Build()).Message, StringComparison.Ordinal);
        Assert.Contains("the 2 down blocks; it has 1", Assert.Throws<ArgumentException>(() => s_small.Down(8).Down(8).Up(8).Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_WrongInput_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var unet = s_small.Down(8, layers: 1).Build();
        Assert.Contains("[B, 1, H, W]; the shape is [2, 3, 28, 28]", Assert.Throws<ArgumentException>(() => unet.call(zeros(2, 3, 28, 28), tensor([1L, 2L]))).Message, StringComparison.Ordinal);
        Assert.Contains("[2], one an image, or [1]; the shape is [3]", Assert.Throws<ArgumentException>(() => unet.call(zeros(2, 1, 28, 28), tensor([1L, 2L, 3L]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_TwentyCalls_LeaveNoTensorBehind()
    {
        using var unet = s_small.Down(8, layers: 1).Down(8, layers: 1, attention: true).Mid(8).Build();
        using var images = randn(1, 1, 28, 28);
        using var timesteps = tensor([5L]);
        using (unet.call(images, timesteps))
        {
        }

        GC.Collect(); // what earlier tests left to finalizers
        GC.WaitForPendingFinalizers();
        var before = LiveTensors.Settled();
        for (var i = 0; i < 20; i++)
        {
            using var output = unet.call(images, timesteps);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Course_Default_HasTheReferenceShape()
    {
        var options = UNetPresets.Course(new ImageShape(1, 28, 28));
        Assert.Empty(options.Validate());
        Assert.Equal([64, 128, 256], options.Down.Select(block => block.Channels));
        Assert.Equal([256, 128], options.Mid.Select(block => block.Channels));
        Assert.Equal([64, 32, 16], options.Up.Select(block => block.Channels));
        Assert.Throws<ArgumentException>(() => UNetPresets.Course(new ImageShape(1, 28, 28), midChannels: [256, 64]));
        Assert.Throws<ArgumentException>(() => UNetPresets.Course(new ImageShape(1, 28, 28), downsample: [true]));
    }
}
