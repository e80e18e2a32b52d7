using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class ContextUNetTests
{
    private static readonly ContextOptions s_context = new() { Channels = 6 };

    private static readonly UNetBuilder s_small = UNetBuilder.ForImages(channels: 3, size: 8)
        .With(options => options with { TimeDimension = 16, NormGroups = 4, ZeroInitialize = false, Dialect = options.Dialect with { Skips = SkipConnections.Layer } })
        .Down(8, layers: 1, attention: true, heads: 2).Down(12, layers: 1).Mid(12, heads: 3);

    [Theory]
    [InlineData(SkipConnections.Layer, Downsampling.Convolution3, Upsampling.Nearest, 8, 8, 5)]
    [InlineData(SkipConnections.Block, Downsampling.Convolution4, Upsampling.Transposed, 7, 13, 1)]
    [InlineData(SkipConnections.Layer, Downsampling.Convolution3BottomRight, Upsampling.Residual, 9, 5, 77)]
    [InlineData(SkipConnections.Block, Downsampling.Residual, Upsampling.Nearest, 10, 6, 3)]
    public void Forward_EveryResamplingAndLength_FitsOddSizes(SkipConnections skips, Downsampling down, Upsampling up, int height, int width, int length)
    {
        using var scope = NewDisposeScope();
        using var unet = s_small.With(options => options with { Downsampling = down, Upsampling = up, Dialect = options.Dialect with { Skips = skips } }).BuildWithContext(s_context);
        Assert.Equal([2, 3, height, width], unet.call(randn(2, 3, height, width), tensor([3L, 900L]), randn(2, length, 6)).shape);
    }

    [Fact]
    public void BuildWithContext_WithoutAttentionKeys_HasTheNamesOfTheUNet()
    {
        using var unet = s_small.Build();
        using var context = s_small.BuildWithContext(s_context);
        Assert.Equal(Names(unet), Names(context));
        Assert.Contains("down.0.layers.attentions.0.blocks.0.cross.key.weight", context.state_dict().Keys);
        Assert.Contains("mid.0.attentions.0.proj_in.weight", context.state_dict().Keys);

        static IEnumerable<string> Names(nn.Module module) => module.state_dict().Keys.Where(key => !key.Contains(".attentions.", StringComparison.Ordinal));
    }

    [Fact]
    public void Forward_Context_HasAnEffectOnItsOwnImageOnly()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var unet = s_small.BuildWithContext(s_context);
        var (images, timesteps, context) = (randn(2, 3, 8, 8), tensor([5L]), randn(2, 4, 6));
        var before = unet.call(images, timesteps, context);
        context[1] += 1;
        var after = unet.call(images, timesteps, context);
        TensorAssert.Close(before[0], after[0], 1e-6, 1e-6, "image 0");
        Assert.True((before[1] - after[1]).abs().max().item<float>() > 1e-4);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Backward_Checkpointed_GivesTheSameGradients(bool dropout)
    {
        using var scope = NewDisposeScope();
        var builder = s_small.With(options => options with { Dialect = options.Dialect with { Residual = new() { Dropout = dropout ? 0.3 : 0 } } });
        using var plain = builder.BuildWithContext(s_context, seed: 4);
        using var recomputed = Checkpointed(builder).BuildWithContext(s_context, seed: 4);
        var (images, timesteps, context) = (randn(2, 3, 8, 8), tensor([5L, 800L]), randn(2, 4, 6));
        Compare(plain, recomputed, () => plain.call(images, timesteps, context), () => recomputed.call(images, timesteps, context));
    }

    [Fact]
    public void Backward_CheckpointedUNet_GivesTheSameGradients()
    {
        using var scope = NewDisposeScope();
        using var plain = s_small.Build(seed: 4);
        using var recomputed = Checkpointed(s_small).Build(seed: 4);
        var (images, timesteps) = (randn(2, 3, 8, 8), tensor([5L, 800L]));
        Compare(plain, recomputed, () => plain.call(images, timesteps), () => recomputed.call(images, timesteps));
    }

    [Fact]
    public void Sample_GuidedByAContext_CallsTheNetworkOnceAStep()
    {
        using var scope = NewDisposeScope();
        using var unet = s_small.BuildWithContext(s_context);
        var (context, empty) = (randn(2, 4, 6), zeros(1, 4, 6));
        var network = new ContextDenoiser(unet, new LinearNoiseSchedule(), nullContext: empty);
        var (noisy, level) = (randn(2, 3, 8, 8), new LinearNoiseSchedule().LevelAt(500));
        var guided = network.Guided(context, 3).Denoise(noisy, level);
        var apart = network.Unconditional.Denoise(noisy, level).lerp(network.With(context).Denoise(noisy, level), 3);
        TensorAssert.Close(apart, guided, 1e-4, 1e-4, "guided");
        Assert.Equal([2, 3, 8, 8], new DpmSolverSampler(steps: 3).Sample(network.Guided(context, 3), [2, 3, 8, 8], seed: 1).shape);
    }

    [Fact]
    public void Forward_BadShapesOrBlocks_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var unet = s_small.BuildWithContext(s_context);
        Assert.Contains("[B, 3, H, W]; it was given [2, 1, 8, 8]", Error(() => unet.call(zeros(2, 1, 8, 8), tensor([1L]), zeros(2, 4, 6))), StringComparison.Ordinal);
        Assert.Contains("[2], one an image, or [1]; the shape is [3]", Error(() => unet.call(zeros(2, 3, 8, 8), tensor([1L, 2L, 3L]), zeros(2, 4, 6))), StringComparison.Ordinal);
        Assert.Contains("context of shape [2, L, 6] with L at least 1; it was given [2, 4, 7]", Error(() => unet.call(zeros(2, 3, 8, 8), tensor([1L]), zeros(2, 4, 7))), StringComparison.Ordinal);
        Assert.Contains("No block has attention", Error(() => UNetBuilder.ForImages(1, 8).Down(8).BuildWithContext(s_context)), StringComparison.Ordinal);
        Assert.Contains("takes no labels", Error(() => s_small.With(options => options with { Dialect = options.Dialect with { Labels = new() } }).BuildWithContext(s_context)), StringComparison.Ordinal);
        Assert.Contains("Channels: must be at least 1; it is 0", Error(() => s_small.BuildWithContext(new ContextOptions { Channels = 0 })), StringComparison.Ordinal);
        Assert.Contains("Heads: must divide", Error(() => s_small.Mid(12, heads: 5).BuildWithContext(s_context)), StringComparison.Ordinal);

        static string Error(Action action) => Assert.Throws<ArgumentException>(action).Message;
    }

    private static UNetBuilder Checkpointed(UNetBuilder builder) => builder.With(options => options with { Dialect = options.Dialect with { GradientCheckpointing = true } });

    private static void Compare(nn.Module plain, nn.Module recomputed, Func<Tensor> plainCall, Func<Tensor> recomputedCall)
    {
        torch.random.manual_seed(6);
        var expected = plainCall();
        expected.square().mean().backward();
        torch.random.manual_seed(6);
        var actual = recomputedCall();
        actual.square().mean().backward();
        TensorAssert.Identical(expected, actual, "output");
        foreach (var ((name, one), (_, other)) in plain.named_parameters().Zip(recomputed.named_parameters()))
        {
            TensorAssert.Close(one.grad!, other.grad!, 1e-5 * one.grad!.abs().max().item<float>() + 1e-8, 0, "gradient of " + name);
        }
    }
}
