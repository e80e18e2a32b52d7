using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class MicroBatchTests : IDisposable
{
    private readonly MemoryImages _images = new();

    /// <summary>Importance weights, offset noise and self-conditioning are drawn for the batch, not for its parts.</summary>
    public static TheoryData<TrainingObjective> Objectives() => new(
        new TrainingObjective(),
        new TrainingObjective { Weighting = LossWeighting.MinSnr(5), OffsetNoise = 0.1, Loss = LossFunction.Huber() },
        new TrainingObjective { Timesteps = TimestepDistribution.LossSecondMoment() });

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Steps_PartsOfABatch_TrainAsTheWhole(TrainingObjective objective)
    {
        // 8 images in parts of 3, 3 and 2: the last one counts less.
        using var whole = new TinyNetwork();
        using var parts = new TinyNetwork();
        using var one = Trainer(whole, objective, null);
        using var other = Trainer(parts, objective, 3);
        var pairs = one.Steps(_images).Zip(other.Steps(_images)).ToList();
        Assert.Equal(20, pairs.Count);
        foreach (var (expected, actual) in pairs)
        {
            Assert.Equal(expected.Loss, actual.Loss, 1e-5);
            Assert.Equal(expected.GradientNorm, actual.GradientNorm, 1e-5);
            Assert.Equal(expected.Levels, actual.Levels);
            Assert.Equal(8, actual.ImageLosses.Count);
            Assert.All(expected.ImageLosses.Zip(actual.ImageLosses), losses => Assert.Equal(losses.First, losses.Second, 1e-4));
        }

        foreach (var (expected, actual) in whole.parameters().Zip(parts.parameters()))
        {
            TensorAssert.Close(expected, actual, 2e-5, 0, "weights");
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(int.MaxValue)]
    public void Steps_PartLargerThanTheBatch_IsTheBatch(int size)
    {
        using var one = Trainer(new TinyNetwork(), new TrainingObjective(), null);
        using var other = Trainer(new TinyNetwork(), new TrainingObjective(), size);
        Assert.Equal(one.Steps(_images).Select(step => step.Loss), other.Steps(_images).Select(step => step.Loss));
    }

    [Fact]
    public void Steps_ImageLosses_AverageToTheLoss()
    {
        using var trainer = Trainer(new TinyNetwork(), new TrainingObjective(), null);
        Assert.All(trainer.Steps(_images), step => Assert.Equal(step.Loss, step.ImageLosses.Average(), 1e-6));
    }

    [Fact]
    public void Trainer_ImmiscibleNoise_IsRefusedForParts()
    {
        var objective = new TrainingObjective { Immiscible = true };
        Assert.Contains("MicroBatchSize is 3", Assert.Throws<ArgumentException>(() => Trainer(new TinyNetwork(), objective, 3)).Message, StringComparison.Ordinal);
        using var whole = Trainer(new TinyNetwork(), objective, 8);
        Assert.Equal(20, whole.Steps(_images).Count());
    }

    public void Dispose() => _images.Dispose();

    private static Trainer Trainer(TinyNetwork network, TrainingObjective objective, int? part) =>
        new(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = 20, BatchSize = 8, MicroBatchSize = part, LearningRate = 1e-3 }, objective: objective);
}
