using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class GroupNormTests
{
    /// <summary>libtorch alone ends the process here.</summary>
    [Theory]
    [InlineData(2, 32, 8, 8)]
    [InlineData(2, 32, 1, 1)]
    [InlineData(1, 32, 5, 1)]
    [InlineData(3, 4, 6, 7)]
    public void Backward_ChannelsLastImagesWithoutGradient_HasTheGradientsOfThoseInRows(long images, int channels, long height, long width)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var rows = randn([images, channels, height, width], generator: generator);
        var last = rows.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            var (expected, actual) = (Gradients(rows.to(type).requires_grad_(), channels), Gradients(last.to(type), channels));
            TensorAssert.Close(expected.Weight, actual.Weight, 1e-5, 1e-5, "weight");
            TensorAssert.Close(expected.Bias, actual.Bias, 1e-5, 1e-5, "bias");
        }
    }

    [Fact]
    public void Backward_VolumesInChannelsLastOrderWithoutGradient_HasGradients()
    {
        using var scope = NewDisposeScope();
        var (weight, _) = Gradients(randn([2, 3, 4, 5, 32]).permute(0, 4, 1, 2, 3), 32);
        Assert.True(weight.isfinite().all().item<bool>());
    }

    [Fact]
    public void Backward_LayerNormOfTokensInAnyOrderWithoutGradient_HasGradients()
    {
        using var scope = NewDisposeScope();
        using var norm = new LayerNorm(32);
        foreach (var tokens in new[] { randn(2, 32, 9).transpose(1, 2), randn(9, 2, 32).transpose(0, 1), randn(2, 8, 8, 32).permute(0, 2, 1, 3) })
        {
            norm.call(tokens).square().sum().backward();
        }

        Assert.True(norm.Weight.grad!.isfinite().all().item<bool>());
    }

    /// <summary>What enters the first norm then needs no gradient.</summary>
    [Fact]
    public void Fit_ChannelsLastImagesAndAFrozenStart_Trains()
    {
        using var unet = UNetBuilder.ForImages(channels: 3, size: 8).Down(16, layers: 1).Mid(16).Build();
        foreach (var (name, parameter) in unet.named_parameters())
        {
            parameter.requires_grad_(!name.StartsWith("conv_in", StringComparison.Ordinal) && !name.StartsWith("time", StringComparison.Ordinal));
        }

        Assert.Contains(unet.parameters(), parameter => !parameter.requires_grad);
        using var images = new ChannelsLast();
        using var trainer = new Trainer(unet, new LinearNoiseSchedule(), new TrainerOptions { Steps = 2, BatchSize = 4 });

        trainer.Fit(images);

        Assert.Equal(2, trainer.StepsDone);
        Assert.All(unet.parameters(), parameter => Assert.True(parameter.isfinite().all().item<bool>()));
    }

    private static (Tensor Weight, Tensor Bias) Gradients(Tensor images, int channels)
    {
        var norm = new GroupNorm(Math.Max(1, channels / 4), channels);
        norm.call(images).to(ScalarType.Float32).square().sum().backward();
        return (norm.Weight.grad!, norm.Bias.grad!);
    }

    /// <summary>Batches whose values lie pixel by pixel.</summary>
    private sealed class ChannelsLast : IImageSource
    {
        private readonly Tensor _pixels;

        public ChannelsLast()
        {
            using var generator = new Generator(5, CPU);
            _pixels = rand([8, 8, 8, 3], generator: generator).mul_(2).sub_(1).DetachFromDisposeScope();
        }

        public string Name => "channels last";

        public int Count => (int)_pixels.shape[0];

        public ImageShape Shape { get; } = new(3, 8, 8);

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            using var positions = tensor(indices.ToArray(), ScalarType.Int64);
            using var pixels = _pixels.index_select(0, positions);
            return new ImageBatch(pixels.permute(0, 3, 1, 2)); // [B, H, W, C] → [B, C, H, W]
        }

        public void Dispose() => _pixels.Dispose();
    }
}
