using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ImageToImageTests
{
    private static readonly GaussianDenoiser s_denoiser = new(new LinearNoiseSchedule());

    [Theory]
    [InlineData(10, 1, 0)]
    [InlineData(10, 0.7, 3)]
    [InlineData(10, 0.05, 9)]
    [InlineData(5, 0.5, 2)]
    [InlineData(1, 0.5, 0)]
    public void FirstStep_Strength_IsTheShareThatIsLeftOut(int steps, double strength, int expected) => Assert.Equal(expected, ImageToImage.FirstStep(steps, strength));

    [Theory]
    [InlineData(0, "(0, 1]")]
    [InlineData(-0.5, "(0, 1]")]
    [InlineData(1.01, "(0, 1]")]
    [InlineData(double.NaN, "(0, 1]")]
    [InlineData(0.04, "at least 0.05")]
    public void FirstStep_StrengthOutOfRange_SaysTheRange(double strength, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentOutOfRangeException>(() => ImageToImage.FirstStep(10, strength)).Message, StringComparison.Ordinal);

    [Fact]
    public void Sample_Strength_IsTheNumberOfStepsAndTheirLevels()
    {
        using var images = Normal.Of(1, 2, 1, 4, 4);
        var sampler = new DdimSampler(20);
        var levels = sampler.Levels(s_denoiser.Schedule);
        List<NoiseLevel> from = [];
        using var result = ImageToImage.Sample(sampler, s_denoiser, images, 0.3, seed: 3, onStep: step => from.Add(step.From));
        Assert.Equal(levels.Skip(14).SkipLast(1), from);
    }

    [Fact]
    public void Sample_MoreStrength_LeavesLessOfTheImages()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 8, 1, 32, 32).mul_(0.5).add_(0.3);
        var before = 2.0;
        foreach (var strength in new[] { 0.05, 0.2, 0.4 })
        {
            var result = ImageToImage.Sample(new DdpmSampler(100), s_denoiser, images, strength, seed: 3);
            var (a, b) = (images - images.mean(), result - result.mean());
            var correlation = ((a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt()).item<float>();
            Assert.True(correlation < before - 0.1, $"strength {strength}: correlation {correlation} after {before}");
            before = correlation;
        }

        Assert.InRange(before, -0.1, 0.2);
    }

    [Fact]
    public void Sample_SameSeed_HasTheSameBitsWhateverTheBatch()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(1, 3, 1, 4, 4);
        var all = ImageToImage.Sample(new EulerSampler(10, new() { Eta = 1 }), s_denoiser, images, 0.5, seed: 8);
        var again = ImageToImage.Sample(new EulerSampler(10, new() { Eta = 1 }), s_denoiser, images.narrow(0, 0, 2), 0.5, seed: 8);
        TensorAssert.Identical(all.narrow(0, 0, 2), again, "first two");
    }

    [Fact]
    public void Sample_AnyRun_LeavesNoTensor()
    {
        using var images = Normal.Of(1, 2, 1, 4, 4);
        Leaks.None(() => ImageToImage.Sample(new DpmSolverSampler(8), s_denoiser, images, 0.6, seed: 3).Dispose());
    }

    [Fact]
    public void Sample_WrongArguments_AreNamed()
    {
        using var images = Normal.Of(1, 2, 4, 4);
        using var one = Normal.Of(1, 1, 1, 4, 4);
        Assert.Contains("[2, 4, 4]", Assert.Throws<ArgumentException>("images", () => ImageToImage.Sample(new DdimSampler(5), s_denoiser, images, 0.5, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("DdimInverter", Assert.Throws<ArgumentException>("sampler", () => ImageToImage.Sample(new DdimInverter(5), s_denoiser, one, 0.5, 1)).Message, StringComparison.Ordinal);
    }
}
