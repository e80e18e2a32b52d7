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

    /// <summary>A network that predicts the image is off by a little, with no noise, too: that must not be taken for noise of a millionth's deviation.</summary>
    [Theory]
    [InlineData("linear")]
    [InlineData("cosine")]
    [InlineData("flow")]
    public void Invert_ImageOffByALittle_IsOffByALittle(string schedule)
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 2, 1, 8, 8).mul_(0.5).add_(0.3);
        var exact = new GaussianDenoiser(NoiseSchedule.Create(schedule));
        var expected = Reconstruction.Invert(exact, images, 50);
        var actual = Reconstruction.Invert(new OffDenoiser(exact, 0.01), images, 50);
        Assert.True((actual - expected).abs().max().item<float>() < 0.5, $"{(actual - expected).abs().max().item<float>()}");
    }

    [Fact]
    public void Invert_InOneStepToNoiseAlone_IsFinite()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 1, 1, 4, 4);
        var latents = Reconstruction.Invert(new GaussianDenoiser(NoiseSchedule.Create("linear-zero-snr")), images, 1);
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

    /// <summary>Predicts images that are too bright by the same everywhere.</summary>
    private sealed class OffDenoiser(IDenoiser exact, double by) : IDenoiser
    {
        public INoiseSchedule Schedule => exact.Schedule;

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) => exact.Predict(noisy, level).MapImage(image => image + by);
    }

    private sealed class Listed(List<(int Step, int Steps)> list) : IProgress<(int Step, int Steps)>
    {
        public void Report((int Step, int Steps) value) => list.Add(value);
    }
}
