using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ReconstructionTests
{
    private static readonly GaussianDenoiser s_denoiser = new(new LinearNoiseSchedule());

    [Fact]
    public void Sample_MoreSteps_ComesCloser()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 2, 1, 8, 8).mul_(0.5).add_(0.3);
        var errors = new[] { 10, 20, 40, 80, 160, 320 }.Select(steps => Error(images, steps)).ToArray();
        for (var i = 1; i < errors.Length; i++)
        {
            Assert.True(errors[i] < 0.7 * errors[i - 1], $"errors {string.Join(", ", errors)}"); // of first order: about a half
        }

        Assert.True(errors[^1] < 0.04, $"errors {string.Join(", ", errors)}");
    }

    [Fact]
    public void Invert_ThenDecode_IsSample()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 2, 1, 4, 4);
        var latents = Reconstruction.Invert(s_denoiser, images, 25);
        TensorAssert.Identical(Reconstruction.Sample(s_denoiser, images, 25), Reconstruction.Decode(s_denoiser, latents, 25), "reconstruction");
        TensorAssert.Identical(images, Normal.Of(1, 2, 1, 4, 4), "the images given");
    }

    [Fact]
    public void Invert_DataOfTheDenoiser_IsStandardNormal()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 4, 1, 32, 32).mul_(0.5).add_(0.3);
        var latents = Reconstruction.Invert(s_denoiser, images, 200);
        Assert.InRange(latents.mean().item<float>(), -0.05, 0.05);
        Assert.InRange(latents.std().item<float>(), 0.95, 1.05);
    }

    /// <summary>A network that predicts the image is off by a little, where there is no noise, too: that must not be taken for noise of a millionth's deviation.</summary>
    [Theory]
    [InlineData("linear")]
    [InlineData("cosine")]
    [InlineData("flow")]
    public void Invert_PredictedImageOffByALittle_IsOffByALittle(string schedule)
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 2, 1, 8, 8).mul_(0.5).add_(0.3);
        var levels = NoiseSchedule.Create(schedule);
        var expected = Reconstruction.Invert(new GaussianDenoiser(levels), images, 50);
        using var network = new GaussianImages(levels, 0.01);
        var denoiser = new NetworkDenoiser(network, levels, Parameterization.Image);
        var actual = Reconstruction.Invert(denoiser, images, 50);
        Assert.True((actual - expected).abs().max().item<float>() < 0.5, $"{(actual - expected).abs().max().item<float>()}");
        TensorAssert.Identical(actual, Reconstruction.Invert(denoiser.Limited(ImageLimit.Clip(100)), images, 50), "with a limit that nothing reaches");
    }

    [Fact]
    public void Invert_PredictedImageInOneStepToNoiseAlone_IsFinite()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 1, 1, 4, 4);
        var levels = NoiseSchedule.Create("linear-zero-snr");
        using var network = new GaussianImages(levels, 0.01);
        var latents = Reconstruction.Invert(new NetworkDenoiser(network, levels, Parameterization.Image), images, 1);
        Assert.InRange(latents.abs().max().item<float>(), 0.01, 10);
    }

    [Fact]
    public void Sample_Progress_CoversBothWays()
    {
        using var images = Normal.Of(1, 1, 1, 4, 4);
        List<(int Step, int Steps)> seen = [];
        using var result = Reconstruction.Sample(s_denoiser, images, 3, progress: new Listed(seen));
        Assert.Equal([1, 2, 3, 1, 2, 3], seen.Select(progress => progress.Step));
    }

    [Fact]
    public void Sample_AnyRun_LeavesNoTensor()
    {
        using var images = Normal.Of(1, 2, 1, 4, 4);
        Leaks.None(() => Reconstruction.Sample(s_denoiser, images, 5).Dispose());
    }

    [Fact]
    public void Sample_NoImages_SaysTheShape()
    {
        using var images = Normal.Of(1, 4, 4);
        Assert.Contains("[4, 4]", Assert.Throws<ArgumentException>("images", () => Reconstruction.Sample(s_denoiser, images, 5)).Message, StringComparison.Ordinal);
    }

    private static double Error(Tensor images, int steps)
    {
        using var scope = NewDisposeScope();
        return (Reconstruction.Sample(s_denoiser, images, steps) - images).abs().max().item<float>();
    }

    /// <summary>Predicts what <see cref="GaussianDenoiser"/> does, too bright by the same everywhere; knows the timestep alone, as networks do.</summary>
    private sealed class GaussianImages : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly INoiseSchedule _schedule;
        private readonly double _by;

        public GaussianImages(INoiseSchedule schedule, double by)
            : base(nameof(GaussianImages)) => (_schedule, _by) = (schedule, by);

        public override Tensor forward(Tensor noisy, Tensor timesteps)
        {
            using var prediction = new GaussianDenoiser(_schedule).Predict(noisy, _schedule.LevelAt((int)timesteps.cpu().to(ScalarType.Int64).data<long>()[0]));
            return prediction.Image + _by;
        }
    }

    private sealed class Listed(List<(int Step, int Steps)> list) : IProgress<(int Step, int Steps)>
    {
        public void Report((int Step, int Steps) value) => list.Add(value);
    }
}
