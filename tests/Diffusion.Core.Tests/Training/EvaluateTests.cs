using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class EvaluateTests : IDisposable
{
    private readonly MemoryImages _images = new();
    private readonly MemoryImages _others = new(50);

    [Fact]
    public void Evaluate_Repeated_GivesTheSameAndChangesNothing()
    {
        using var network = new TinyNetwork();
        using var trainer = Trainer(network);
        trainer.Fit(_images, stopAfter: 10);
        using var before = Weights.Snapshot(network);
        var first = trainer.Evaluate(_others);
        Assert.Equal(first, trainer.Evaluate(_others));
        Assert.NotEqual(first, trainer.Evaluate(_others, seed: 1));
        Assert.NotEqual(first, trainer.Evaluate(_others, averaged: false));
        using var after = Weights.Snapshot(network);
        TensorAssert.Identical(before, after);
        Assert.True(network.training);

        // Training that is evaluated goes on as one that is not.
        using var undisturbed = Trainer(new TinyNetwork());
        var losses = undisturbed.Steps(_images).Select(step => step.Loss).ToList();
        Assert.Equal(losses[10..], trainer.Steps(_images).Select(step => step.Loss));
    }

    [Fact]
    public void Evaluate_WhileItLearns_Falls()
    {
        using var trainer = Trainer(new TinyNetwork(), 300);
        var before = trainer.Evaluate(_others);
        trainer.Fit(_images);
        Assert.True(trainer.Evaluate(_others) < 0.7 * before);
    }

    [Fact]
    public void Evaluate_PartOfTheImages_IsTheirMean()
    {
        using var trainer = Trainer(new TinyNetwork());
        var sixteen = trainer.Evaluate(_others, 16);
        using var few = new MemoryImages(16);
        Assert.Equal(sixteen, trainer.Evaluate(few), 1e-9);
        Assert.Equal(trainer.Evaluate(_others, 50), trainer.Evaluate(_others, 1000));

        using var parts = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 20, BatchSize = 7, MicroBatchSize = 3 });
        Assert.Equal(sixteen, parts.Evaluate(_others, 16), 1e-6); // whatever the batch size
        Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Evaluate(_others, 0));
    }

    public void Dispose()
    {
        _images.Dispose();
        _others.Dispose();
    }

    private static Trainer Trainer(TinyNetwork network, int steps = 20) =>
        new(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = steps, BatchSize = 8, LearningRate = 1e-2, Ema = new() { Decay = 0.9 } });
}
