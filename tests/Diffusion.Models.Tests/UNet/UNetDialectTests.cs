using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Every part of every dialect, composed: sizes, gradients, mistakes.</summary>
public sealed class UNetDialectTests
{
    public static TheoryData<Downsampling, Upsampling, SkipConnections> Resamplings
    {
        get
        {
            var data = new TheoryData<Downsampling, Upsampling, SkipConnections>();
            foreach (var down in Enum.GetValues<Downsampling>())
            {
                foreach (var up in Enum.GetValues<Upsampling>())
                {
                    data.Add(down, up, SkipConnections.Block);
                    data.Add(down, up, SkipConnections.Layer);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Resamplings))]
    public void Build_EveryResampling_FitsEverySize(Downsampling down, Upsampling up, SkipConnections skips)
    {
        using var scope = NewDisposeScope();
        using var unet = UNetBuilder.ForImages(channels: 3, size: 28)
            .With(options => options with { Downsampling = down, Upsampling = up, TimeDimension = 16, Dialect = new() { Skips = skips } })
            .Down(8).Down(8, layers: 1, attention: true).Down(16, layers: 1, downsample: false).Down(16, layers: 1, downsample: true).Mid(16).Build();
        foreach (var (height, width) in ((int, int)[])[(28, 28), (30, 45), (13, 8)])
        {
            Assert.Equal([1, 3, height, width], unet.call(randn(1, 3, height, width), tensor([3L])).shape);
        }

        var summary = UNetSummary.Of(unet.Options);
        Assert.Equal(unet.ParameterCount, summary.Parameters);
    }

    [Theory]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.Gelu)]
    [InlineData(Activation.Mish)]
    public void Build_EveryActivation_GivesGradientsToEveryParameter(Activation activation)
    {
        using var scope = NewDisposeScope();
        using var unet = UNetBuilder.ForImages(channels: 1, size: 8)
            .With(options => options with
            {
                TimeDimension = 16,
                NormGroups = 4,
                ZeroInitialize = false,
                Dialect = new()
                {
                    Residual = new() { Activation = activation, TimeInjection = TimeInjection.ScaleShift, OutputScale = Math.Sqrt(2) },
                    Attention = new() { HeadWidth = 3, NormGroups = 2, Projection = AttentionProjection.Separate },
                    Time = new() { Kind = TimeEmbeddingKind.Table, Steps = 20, Width = 5 },
                    Skips = SkipConnections.Layer,
                    ExtraChannels = 2,
                    OutChannels = 2,
                },
            })
            .Down(8, layers: 1, attention: true).Down(8, layers: 1).Mid(8).Build();
        var output = unet.call(randn(2, 3, 8, 8), tensor([3L, 19L]));
        Assert.Equal([2, 2, 8, 8], output.shape);
        Assert.Equal([6, 8], unet.state_dict()["down.0.layers.attentions.0.query.weight"].shape); // two heads of width 3
        output.square().mean().backward();
        Assert.All(unet.named_parameters(), entry => Assert.True(entry.parameter.grad is { } gradient && gradient.isfinite().all().item<bool>(), entry.name));
        Assert.Contains("in [0, 19]; 20 was given", Assert.Throws<ArgumentException>(() => unet.call(randn(1, 3, 8, 8), tensor([20L]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fourier_SavedWeights_AreNotTrained()
    {
        using var unet = UNetBuilder.ForImages(channels: 1, size: 8)
            .With(options => options with { TimeDimension = 16, Dialect = new() { Time = new() { Kind = TimeEmbeddingKind.Fourier } } }).Down(8, layers: 1).Build(seed: 4);
        using var same = UNetBuilder.From(unet.Options).Build(seed: 4);
        Assert.Contains("time.waves.weight", unet.state_dict().Keys);
        Assert.DoesNotContain(unet.named_parameters(), entry => entry.name == "time.waves.weight");
        TensorAssert.Identical(Weights.Snapshot(unet), Weights.Snapshot(same));
    }

    [Fact]
    public void Forward_SkipsPerLayer_LeaveNoTensorBehind()
    {
        using var unet = UNetBuilder.ForImages(channels: 1, size: 8)
            .With(options => options with
            {
                TimeDimension = 16,
                Downsampling = Downsampling.Residual,
                Upsampling = Upsampling.Residual,
                Dialect = new() { Skips = SkipConnections.Layer, Labels = new(), CenterInput = true, DivideByTime = true, Attention = new() { Projection = AttentionProjection.JointByHead } },
            })
            .Down(8, attention: true).Down(8).Mid(8).Build();
        using var images = randn(1, 1, 8, 8);
        using var timesteps = tensor([5L]);
        using var labels = tensor([1L]);
        using (unet.Predict(images, timesteps, labels))
        {
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = LiveTensors.Settled();
        for (var i = 0; i < 5; i++)
        {
            using var output = unet.Predict(images, timesteps, labels);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Dialect_Defaults_AreTheNetworkOfBefore()
    {
        using var scope = NewDisposeScope();
        var timesteps = tensor([3f, 900.5f]);
        TensorAssert.Identical(SinusoidalEmbedding.Embed(timesteps, 8), SinusoidalEmbedding.Embed(timesteps, 8, new()), "default");
        var swapped = SinusoidalEmbedding.Embed(timesteps, 8, new() { Order = WaveOrder.CosineFirst });
        TensorAssert.Identical(SinusoidalEmbedding.Embed(timesteps, 8), swapped.roll(4, 1), "cosines first");
        var shifted = SinusoidalEmbedding.Embed(timesteps, 8, new() { FrequencyShift = 1, MaxPeriod = 100 });
        Assert.Equal(Math.Sin(900.5 / 100), shifted[1, 3].item<float>(), 1e-6);
    }

    [Fact]
    public void Build_ImpossibleDialect_NamesEveryMistake()
    {
        var builder = UNetBuilder.ForImages(1, 8).With(options => options with
        {
            TimeDimension = 0,
            Dialect = new()
            {
                Residual = new() { NormEps = 0, Dropout = 1, OutputScale = double.NaN, Activation = (Activation)9, TimeInjection = (TimeInjection)9 },
                Attention = new() { HeadWidth = 64, NormGroups = 3, NormEps = -1, Projection = (AttentionProjection)9 },
                Time = new() { Width = 7, FrequencyShift = 5, MaxPeriod = 1, FourierScale = 0, Steps = 0, Order = (WaveOrder)9 },
                Labels = new() { Classes = 0, Kind = (LabelKind)9 },
                Skips = SkipConnections.Layer,
                ExtraChannels = -1,
                OutChannels = 0,
            },
        }).Down(8).Down(16, attention: true).Up(16, layers: 2).Up(8, layers: 3);
        builder = builder.With(options => options with { Mid = [new() { Channels = 16, AttentionGroups = -1, OutputScale = 0 }] });
        var before = LiveTensors.Settled();
        var message = Assert.Throws<ArgumentException>(() => builder.Build()).Message;
        Assert.Equal(before, Tensor.TotalCount);
        foreach (var expected in (string[])
        [
            "TimeDimension: must be at least 1; it is 0", "Dialect.Residual.NormEps", "Dialect.Residual.Dropout", "Dialect.Residual.OutputScale",
            "Dialect.Residual.Activation", "Dialect.Residual.TimeInjection", "Dialect.Attention.NormEps", "Dialect.Attention.Projection",
            "Dialect.Time.Width: must be even and at least 2; it is 7", "Dialect.Time.FrequencyShift", "Dialect.Time.MaxPeriod", "Dialect.Time.FourierScale",
            "Dialect.Time.Steps", "Dialect.Time.Order", "Dialect.Labels.Classes", "Dialect.Labels.Kind", "Dialect.ExtraChannels", "Dialect.OutChannels",
            "Down[1].Channels: must hold at least one head of HeadWidth, 64; it is 16", "Down[1].Channels: must be a multiple of the 3 groups before its self-attention; it is 16",
            "Mid[0].AttentionGroups", "Mid[0].OutputScale", "Up[0].Layers: must be 3, one for each skip connection from Down[1] at the same depth; it is 2",
        ])
        {
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("Up[1].Layers", message, StringComparison.Ordinal);
    }
}
