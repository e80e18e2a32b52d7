using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>U-Nets with a context, and with labels beside it.</summary>
public sealed class UNetContextTests
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
        using var unet = s_small.With(options => options with { Downsampling = down, Upsampling = up, Dialect = options.Dialect with { Skips = skips } }).WithContext(s_context).Build();
        Assert.Equal([2, 3, height, width], unet.Predict(randn(2, 3, height, width), tensor([3L, 900L]), context: randn(2, length, 6)).shape);
    }

    [Fact]
    public void Build_WithAContext_HasTheNamesOfTheUNetBesideAttention()
    {
        using var unet = s_small.Build();
        using var context = s_small.WithContext(s_context).Build();
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
        using var unet = s_small.WithContext(s_context).Build();
        var (images, timesteps, context) = (randn(2, 3, 8, 8), tensor([5L]), randn(2, 4, 6));
        var before = unet.Predict(images, timesteps, context: context);
        context[1] += 1;
        var after = unet.Predict(images, timesteps, context: context);
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
        using var plain = builder.WithContext(s_context).Build(seed: 4);
        using var recomputed = Checkpointed(builder).WithContext(s_context).Build(seed: 4);
        var (images, timesteps, context) = (randn(2, 3, 8, 8), tensor([5L, 800L]), randn(2, 4, 6));
        Compare(plain, recomputed, () => plain.Predict(images, timesteps, context: context), () => recomputed.Predict(images, timesteps, context: context));
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
    public void Predict_LabelsAndAContext_BothHaveAnEffect()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var unet = s_small.WithLabels(new LabelOptions { Classes = 3 }).WithContext(s_context).Build();
        var (images, timesteps, labels, context) = (randn(2, 3, 8, 8), tensor([5L, 80L]), tensor([0L, 2L]), randn(2, 4, 6));
        Assert.True(unet is { TakesLabels: true, TakesContext: true });
        Assert.Equal(["conv_in", "time", "labels", "down", "mid", "up", "norm_out", "conv_out"], unet.state_dict().Keys.Select(key => key.Split('.')[0]).Distinct());
        var output = unet.Predict(images, timesteps, labels, context);
        Assert.Equal([2, 3, 8, 8], output.shape);
        var otherLabels = unet.Predict(images, timesteps, tensor([0L, 1L]), context);
        TensorAssert.Close(output[0], otherLabels[0], 1e-6, 1e-6, "image 0");
        Assert.True((output[1] - otherLabels[1]).abs().max().item<float>() > 1e-4);
        Assert.True((output - unet.Predict(images, timesteps, labels, context + 1)).abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void Fit_LabelsAndAContext_TrainsAndSamplesWithGuidance()
    {
        using var scope = NewDisposeScope();
        using var images = new Described();
        using var unet = s_small.WithLabels(new LabelOptions { Classes = 4 }).WithContext(s_context).Build(seed: 2);
        var none = Condition.OfLabels(3).And(Condition.OfContext(zeros(1, 4, 6)));
        using var before = Weights.Snapshot(unet);
        using var trainer = new Trainer(
            unet, new LinearNoiseSchedule(), new TrainerOptions { Steps = 3, BatchSize = 4, LearningRate = 1e-2 }, objective: new() { ConditionDropout = 0.5 }, nullCondition: none);
        trainer.Fit(images);
        foreach (var name in (string[])["labels.table.weight", "down.0.layers.attentions.0.blocks.0.cross.key.weight"])
        {
            Assert.False(unet.get_parameter(name)!.allclose(before[name], rtol: 0, atol: 0), name);
        }

        using var drawn = new DdimSampler(steps: 3).Sample(trainer.Ema.With(Condition.OfLabels(1).And(Condition.OfContext(randn(1, 4, 6)))).Guided(2), [2, 3, 8, 8], seed: 1);
        Assert.True(drawn.isfinite().all().item<bool>());
    }

    [Fact]
    public void Predict_GuidedByAContext_IsTheWeightedSumOfBothConditions()
    {
        using var scope = NewDisposeScope();
        using var unet = s_small.WithContext(s_context).Build();
        var (context, empty) = (Condition.OfContext(randn(2, 4, 6)), Condition.OfContext(zeros(1, 4, 6)));
        var network = new NetworkDenoiser(unet, new LinearNoiseSchedule(), nullCondition: empty);
        var (noisy, level) = (randn(2, 3, 8, 8), new LinearNoiseSchedule().LevelAt(500));
        var guided = network.With(context).Guided(3).Denoise(noisy, level);
        var apart = network.Denoise(noisy, level).lerp(network.With(context).Denoise(noisy, level), 3);
        TensorAssert.Close(apart, guided, 1e-4, 1e-4, "guided");
        Assert.Equal([2, 3, 8, 8], new DpmSolverSampler(steps: 3).Sample(network.With(context).Guided(3), [2, 3, 8, 8], seed: 1).shape);
    }

    [Fact]
    public void Predict_BadShapesOrBlocks_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var unet = s_small.WithContext(s_context).Build();
        using var both = s_small.WithLabels(new()).WithContext(s_context).Build();
        using var plain = s_small.Build();
        var (images, timesteps, context) = (zeros(2, 3, 8, 8), tensor([1L]), zeros(2, 4, 6));
        Assert.Contains("[B, 3, H, W]; the shape is [2, 1, 8, 8]", Error(() => unet.Predict(zeros(2, 1, 8, 8), timesteps, context: context)), StringComparison.Ordinal);
        Assert.Contains("[2], one an image, or [1]; the shape is [3]", Error(() => unet.Predict(images, tensor([1L, 2L, 3L]), context: context)), StringComparison.Ordinal);
        Assert.Contains("context of shape [2, L, 6] with L at least 1; it was given [2, 4, 7]", Error(() => unet.Predict(images, timesteps, context: zeros(2, 4, 7))), StringComparison.Ordinal);
        Assert.Contains("needs a context: give them to Predict", Error(() => unet.call(images, timesteps)), StringComparison.Ordinal);
        Assert.Contains("needs labels and a context", Error(() => both.call(images, timesteps)), StringComparison.Ordinal);
        Assert.Contains("needs labels:", Error(() => both.Predict(images, timesteps, context: context)), StringComparison.Ordinal);
        Assert.Contains("has no labels (UNetDialect.Labels)", Error(() => unet.Predict(images, timesteps, tensor([0L]), context)), StringComparison.Ordinal);
        Assert.Contains("has no context (UNetDialect.Context)", Error(() => plain.Predict(images, timesteps, context: context)), StringComparison.Ordinal);
        Assert.Contains("Dialect.Context: needs a block with attention", Error(() => UNetBuilder.ForImages(1, 8).Down(8).Mid(8, layers: 0).WithContext(s_context).Build()), StringComparison.Ordinal);
        Assert.Contains("Dialect.Context.Channels: must be at least 1; it is 0", Error(() => s_small.WithContext(new ContextOptions { Channels = 0 }).Build()), StringComparison.Ordinal);
        Assert.Contains("Heads: must divide", Error(() => s_small.Mid(12, heads: 5).WithContext(s_context).Build()), StringComparison.Ordinal);

        static string Error(Action action) => Assert.Throws<ArgumentException>(action).Message;
    }

    [Fact]
    public void Options_AsJson_AreReadBack()
    {
        var options = s_small.WithLabels(new LabelOptions { Classes = 3 }).WithContext(new ContextOptions { Channels = 6, Layers = 2, LinearProjection = true }).Options;
        var read = JsonSerializer.Deserialize<UNetOptions>(JsonSerializer.Serialize(options))!;
        Assert.Equal(options.Dialect, read.Dialect);
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

    private sealed class Described : IImageSource
    {
        public string Name => "described";

        public int Count => 8;

        public ImageShape Shape => new(3, 8, 8);

        public (double Min, double Max)? Range => null;

        public int Classes => 3;

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            using var generator = new Generator(4, CPU);
            var (images, context) = (randn([8, 3, 8, 8], generator: generator), randn([8, 4, 6], generator: generator));
            var chosen = tensor(Array.ConvertAll(indices.ToArray(), index => (long)index));
            return new ImageBatch(images[chosen], chosen % 3, context[chosen]);
        }

        public void Dispose()
        {
        }
    }
}
