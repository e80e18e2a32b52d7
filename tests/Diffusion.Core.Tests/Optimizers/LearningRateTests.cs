using Xunit;

namespace Diffusion.Tests;

public sealed class LearningRateTests
{
    private const int Total = 100;

    [Theory]
    [InlineData(LearningRateShape.Constant, 1, 1, 1)]
    [InlineData(LearningRateShape.Cosine, 1, 0.5, 0.000247)] // the last step is one before the end of the cosine
    [InlineData(LearningRateShape.Linear, 1, 0.5, 0.01)]
    [InlineData(LearningRateShape.InverseSquareRoot, 1, 0.7001, 0.5)]
    public void ShareAt_BeginningMiddleAndEnd_AreThoseOfTheShape(LearningRateShape shape, double first, double middle, double last)
    {
        var options = new LearningRateOptions { Shape = shape, ReferenceStep = 25 };
        Assert.Equal(first, options.ShareAt(1, Total), 1e-12);
        Assert.Equal(middle, options.ShareAt(51, Total), 1e-4);
        Assert.Equal(last, options.ShareAt(Total, Total), 1e-6);
    }

    [Theory]
    [InlineData(LearningRateShape.Cosine)]
    [InlineData(LearningRateShape.Linear)]
    public void ShareAt_WithWarmUpAndFinalShare_GrowsToOneAndFallsToIt(LearningRateShape shape)
    {
        var options = new LearningRateOptions { Shape = shape, WarmUpSteps = 10, FinalShare = 0.1 };
        var shares = Enumerable.Range(1, Total).Select(step => options.ShareAt(step, Total)).ToArray();
        Assert.Equal(1.0 / 11, shares[0], 1e-12);
        Assert.Equal(1, shares[10], 1e-12);
        Assert.All(Enumerable.Range(1, 10), i => Assert.True(shares[i] > shares[i - 1]));
        Assert.All(Enumerable.Range(11, Total - 11), i => Assert.True(shares[i] < shares[i - 1]));
        Assert.InRange(shares[^1], 0.1, 0.12);
    }

    [Fact]
    public void Steps_WithASchedule_ReportAndUseItsRates()
    {
        using var network = new TinyNetwork();
        using var images = new MemoryImages();
        var options = new TrainerOptions { Steps = 20, BatchSize = 4, LearningRate = 0.01, LearningRateSchedule = new() { Shape = LearningRateShape.Linear, WarmUpSteps = 4 } };
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), options);
        var rates = trainer.Steps(images).Select(step => step.LearningRate).ToArray();
        Assert.Equal(Enumerable.Range(1, 20).Select(step => 0.01 * options.LearningRateSchedule.ShareAt(step, 20)), rates);
    }

    [Fact]
    public void Validate_WrongNumbers_AreAllNamed()
    {
        var message = Assert.Throws<ArgumentException>(() => new TrainerOptions
        {
            LearningRateSchedule = new() { Shape = (LearningRateShape)9, WarmUpSteps = -1, FinalShare = 2 },
            Optimizer = new() { GradientClip = 0 },
        }.ThrowIfInvalid()).Message;
        Assert.All(["Shape", "WarmUpSteps", "FinalShare", "GradientClip"], name => Assert.Contains(name, message, StringComparison.Ordinal));
    }
}
