using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class DdpmSamplerTests
{
    private readonly GaussianDenoiser _denoiser = new(new LinearNoiseSchedule());

    [Fact]
    public void Sample_AllSteps_GivesTheDataItsMeanAndDeviation()
    {
        using var images = new DdpmSampler().Sample(_denoiser, [64, 1, 16, 16], seed: 3);
        Assert.Equal(0.3, images.mean().item<float>(), 0.02);
        Assert.Equal(0.5, images.std().item<float>(), 0.02);
    }

    /// <summary>With few steps the posterior variance is too small for the data; by how much follows from the steps alone.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(50)]
    [InlineData(250)]
    public void Sample_SomeSteps_HasTheMeanAndDeviationThatTheStepsImply(int steps)
    {
        var schedule = new LinearNoiseSchedule();
        NoiseLevel[] levels = [.. TimestepGrid.Trailing(1000, steps).Select(schedule.LevelAt), NoiseLevel.Clean];
        var (mean, variance) = (0.0, 1.0);
        for (var i = 0; i < steps; i++)
        {
            var posterior = Posterior.Between(levels[i], levels[i + 1]);
            var gain = levels[i].Alpha * 0.25 / ((levels[i].Alpha * levels[i].Alpha * 0.25) + (levels[i].Sigma * levels[i].Sigma));
            var slope = (posterior.ImageWeight * gain) + posterior.NoisyWeight;
            mean = (slope * mean) + (posterior.ImageWeight * 0.3 * (1 - (gain * levels[i].Alpha)));
            variance = (slope * slope * variance) + posterior.Variance;
        }

        using var images = new DdpmSampler(steps).Sample(_denoiser, [64, 1, 16, 16], seed: 3);
        Assert.Equal(mean, images.mean().item<float>(), 0.015);
        Assert.Equal(Math.Sqrt(variance), images.std().item<float>(), 0.015);
    }

    [Fact]
    public void Sample_OneByOneOrTogether_GivesTheSameImages()
    {
        var sampler = new DdpmSampler(20);
        using var together = sampler.Sample(_denoiser, [5, 1, 4, 4], seed: 9);
        for (var i = 0; i < 5; i++)
        {
            using var noise = new SeededNoise(9, firstImage: i);
            using var alone = sampler.SampleFrom(_denoiser, [1, 1, 4, 4], noise);
            using var same = together[i].unsqueeze(0);
            TensorAssert.Identical(same, alone, $"image {i}");
        }
    }

    [Fact]
    public void Sample_OtherSeed_GivesOtherImages()
    {
        using var one = new DdpmSampler(5).Sample(_denoiser, [2, 1, 4, 4], seed: 1);
        using var two = new DdpmSampler(5).Sample(_denoiser, [2, 1, 4, 4], seed: 2);
        Assert.True((one - two).abs().min().item<float>() > 0);
    }

    [Fact]
    public void Sample_Callbacks_SeeEveryStep()
    {
        var (steps, progress) = (new List<(int Index, double From, double To)>(), new List<(int Step, int Steps)>());
        using var images = new DdpmSampler(4).Sample(
            _denoiser.Limited(ImageLimit.Clip()), [2, 1, 4, 4], 1, new Observer(progress.Add), step =>
            {
                Assert.Equal([2, 1, 4, 4], step.Noisy.shape);
                Assert.Equal([2, 1, 4, 4], step.Image.shape);
                Assert.True(step.Image.abs().max().item<float>() <= 1);
                steps.Add((step.Index, step.From.Timestep, step.To.Timestep));
            });
        Assert.Equal([(0, 999, 749), (1, 749, 499), (2, 499, 249), (3, 249, -1)], steps);
        Assert.Equal([new(1, 4), new(2, 4), new(3, 4), new(4, 4)], progress);
    }

    [Fact]
    public void Sample_Cancelled_StopsAtTheNextStep()
    {
        using var cancellation = new CancellationTokenSource();
        var steps = 0;
        Assert.Throws<OperationCanceledException>(() => new DdpmSampler(100).Sample(
            _denoiser, [1, 1, 4, 4], 1, onStep: _ =>
            {
                if (++steps == 3)
                {
                    cancellation.Cancel();
                }
            }, cancellationToken: cancellation.Token));
        Assert.Equal(3, steps);
    }

    [Fact]
    public void Sample_TwoHundredSteps_LeavesNoTensorBehind()
    {
        var sampler = new DdpmSampler(200);
        using (sampler.Sample(_denoiser, [2, 1, 4, 4], 1))
        {
        }

        GC.Collect(); // what earlier tests left to finalizers
        GC.WaitForPendingFinalizers();
        var before = LiveTensors.Settled();
        using (sampler.Sample(_denoiser, [2, 1, 4, 4], 1))
        {
            Assert.Equal(before + 1, Tensor.TotalCount);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Sample_WrongShape_SaysWhatIsNeeded()
    {
        Assert.Contains("[3, 0]", Assert.Throws<ArgumentException>(() => new DdpmSampler().Sample(_denoiser, [3, 0], 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new DdpmSampler(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DdpmSampler(1001).Sample(_denoiser, [1, 1, 4, 4], 1));
    }

    [Fact]
    public void SeededNoise_BatchThatChangesSize_IsRefused()
    {
        using var noise = new SeededNoise(1);
        using var first = noise.Draw([2, 1, 4, 4], CPU);
        Assert.Throws<ArgumentException>(() => noise.Draw([3, 1, 4, 4], CPU));
    }

    private sealed class Observer(Action<(int Step, int Steps)> report) : IProgress<(int Step, int Steps)>
    {
        public void Report((int Step, int Steps) value) => report(value);
    }
}
