using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks.Tests;

/// <summary>What the benchmarks compare with computes the same as this library.</summary>
public sealed class EagerBaselineTests
{
    /// <summary>Relative. Both compute in float32 and sum in another order; Adam carries the difference from step to step.</summary>
    private const double LossTolerance = 1e-5;

    private const int Batch = 2;
    private const int Steps = 4;

    [Fact]
    public void EagerUNet_ReferenceNetwork_HasTheNamesAndShapesOfTheCourse()
    {
        using var ours = UNetBuilder.From(new EagerUNetOptions().Ours(28)).Build();
        using var eager = new EagerUNet();
        var expected = KeyMap.Course.ToTheirs(ours.state_dict());
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), eager.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.All(eager.state_dict(), entry => Assert.Equal(expected[entry.Key].shape, entry.Value.shape));
    }

    [Theory]
    [InlineData(1, 28)]
    [InlineData(3, 32)]
    public void EagerUNet_SameWeights_GivesTheSameOutput(int channels, int size)
    {
        var options = new EagerUNetOptions { ImageChannels = channels };
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var ours = UNetBuilder.From(options.Ours(size)).Build();
        using var eager = Eager(options, ours);
        using var generator = new Generator(1, CPU);
        var images = randn([Batch, channels, size, size], ScalarType.Float32, generator: generator);
        var timesteps = tensor(new long[] { 3, 998 });
        TensorAssert.Close(ours.call(images, timesteps), eager.call(images, timesteps), 1e-4, 1e-4, "output");
    }

    [Fact]
    public void EagerTrainer_SameWeightsImagesAndDraws_GivesTheSameLosses()
    {
        var options = new EagerUNetOptions();
        using var ours = UNetBuilder.From(options.Ours(28)).Build();
        using var eager = Eager(options, ours);
        using var generator = new Generator(2, CPU);
        using var batch = rand([Batch, 1, 28, 28], ScalarType.Float32, generator: generator).mul_(2).sub_(1);
        using var images = new FixedImages(batch);
        using var drawn = new RecordedTimesteps();
        var settings = new TrainerOptions { Steps = Steps, BatchSize = Batch, LearningRate = 1e-3, Optimizer = new() { GradientClip = 1 }, Seed = 5 };
        using var trainer = new Trainer(ours, new LinearNoiseSchedule(), settings, objective: new TrainingObjective { Timesteps = drawn });
        using var loop = new EagerTrainer(eager, settings.LearningRate, settings.Optimizer.GradientClip);
        var losses = new List<double>();
        foreach (var step in trainer.Steps(images))
        {
            using var noise = drawn.Noise(batch.shape);
            using var timesteps = tensor(drawn.Timesteps.Select(t => (long)t).ToArray());
            var loss = loop.Step(batch, noise, timesteps);
            Assert.Equal(step.Loss, loss, LossTolerance * step.Loss);
            losses.Add(loss);
        }

        Assert.Equal(Steps, losses.Distinct().Count());
    }

    [Fact]
    public void EagerSchedule_Tables_AreThoseOfTheLinearSchedule()
    {
        using var scope = NewDisposeScope();
        using var eager = new EagerSchedule();
        using var generator = new Generator(3, CPU);
        var (images, noise) = (randn([2, 1, 4, 4], ScalarType.Float32, generator: generator), randn([2, 1, 4, 4], ScalarType.Float32, generator: generator));
        long[] timesteps = [0, 999];
        TensorAssert.Close(new LinearNoiseSchedule().AddNoise(images, noise, timesteps), eager.AddNoise(images, noise, tensor(timesteps)), 1e-6, 1e-6, "x_t");
        TensorAssert.Close(new LinearNoiseSchedule().Reverse(images, noise, 0, null).Previous, eager.Reverse(images, noise, 0), 1e-5, 1e-5, "x_0");
    }

    private static EagerUNet Eager(EagerUNetOptions options, UNet ours)
    {
        var eager = new EagerUNet(options);
        Weights.Load(eager, KeyMap.Course.ToTheirs(ours.state_dict()));
        return eager;
    }
}
