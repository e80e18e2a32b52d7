using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Every schedule with every parameterization, every sampler, and guidance on and off.</summary>
public sealed class SamplerMatrixTests
{
    private static readonly long[] Shape = [2, 1, 4, 4];

    public static TheoryData<string> Samplers() => [.. Sampler.Names];

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Sample_EveryScheduleParameterizationAndGuidance_IsFiniteDeterministicAndLeavesNothing(string sampler)
    {
        using var first = new TinyNetwork(1);
        using var second = new TinyNetwork(2);
        LiveTensors.Settled();
        foreach (var name in NoiseSchedule.Names)
        {
            var schedule = NoiseSchedule.Create(name);
            foreach (var parameterization in Parameterization.All)
            {
                var network = new NetworkDenoiser(first, schedule, parameterization);
                Check($"{sampler}, {name}, {parameterization}", sampler, network);
                Check($"{sampler}, {name}, {parameterization}, guided", sampler, network.AutoGuided(new NetworkDenoiser(second, schedule, parameterization), 2.5));
            }

            var exact = new GaussianDenoiser(schedule);
            Check($"{sampler}, {name}, exact", sampler, exact);
            Check($"{sampler}, {name}, exact, guided", sampler, exact.AutoGuided(new GaussianDenoiser(schedule, -0.2, 0.7), 1.5));
        }
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Sample_EverySpacing_IsFinite(string sampler)
    {
        foreach (var name in NoiseSchedule.Names)
        {
            foreach (var spacing in StepSpacing.All.SelectMany(spacing => new[] { spacing, spacing.EndingAtSigmaMin() }))
            {
                using var images = Sampler.Create(sampler, 5, spacing).Sample(new GaussianDenoiser(NoiseSchedule.Create(name)), Shape, seed: 3);
                Assert.True(images.isfinite().all().item<bool>(), $"{sampler}, {name}, {spacing}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Sample_OneByOneOrTogether_DrawsTheSameNoise(string sampler)
    {
        var denoiser = new GaussianDenoiser(new LinearNoiseSchedule());
        using var together = Sampler.Create(sampler, 6).Sample(denoiser, [3, 1, 4, 4], seed: 11);
        using var one = Sampler.Create(sampler, 6).Sample(denoiser, [1, 1, 4, 4], seed: 11);
        using var first = together.narrow(0, 0, 1);
        TensorAssert.Close(one, first, 1e-5, 1e-5, sampler);
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Steps_Enumerated_EndWithTheBitsOfSample(string sampler)
    {
        var denoiser = new GaussianDenoiser(new LinearNoiseSchedule());
        var chosen = Sampler.Create(sampler, 6);
        using var whole = chosen.Sample(denoiser, Shape, seed: 5);
        var before = LiveTensors.Settled();
        Tensor? last = null;
        var count = 0;
        foreach (var step in chosen.Steps(denoiser, Shape, seed: 5))
        {
            Assert.Equal(count++, step.Index);
            last?.Dispose();
            last = step.Noisy.to(ScalarType.Float32, copy: true);
        }

        Assert.Equal(before + 1, Tensor.TotalCount);
        TensorAssert.Identical(whole, last!, sampler);
        last!.Dispose();
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Sample_Cancelled_StopsAtTheNextStepAndLeavesNothing(string sampler)
    {
        using var source = new CancellationTokenSource();
        var before = LiveTensors.Settled();
        var steps = 0;
        Assert.Throws<OperationCanceledException>(() => Sampler.Create(sampler, 8).Sample(
            new GaussianDenoiser(new LinearNoiseSchedule()), Shape, 1,
            onStep: _ =>
            {
                if (++steps == 3)
                {
                    source.Cancel();
                }
            },
            cancellationToken: source.Token));

        Assert.Equal(3, steps);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Create_WrongName_ListsTheRightOnes()
    {
        var sampler = Assert.Throws<ArgumentException>(() => Sampler.Create("dpm"));
        Assert.Contains("\"dpm\"", sampler.Message, StringComparison.Ordinal);
        Assert.All(Sampler.Names, name => Assert.Contains(name, sampler.Message, StringComparison.Ordinal));
        var schedule = Assert.Throws<ArgumentException>(() => NoiseSchedule.Create("quadratic"));
        Assert.All(NoiseSchedule.Names, name => Assert.Contains(name, schedule.Message, StringComparison.Ordinal));
    }

    private static void Check(string what, string sampler, IDenoiser denoiser)
    {
        var before = Tensor.TotalCount;
        using (var images = Sampler.Create(sampler, 4).Sample(denoiser, Shape, seed: 7))
        {
            Assert.Equal(Shape, images.shape);
            Assert.Equal(ScalarType.Float32, images.dtype);
            using (NewDisposeScope())
            {
                Assert.True(images.isfinite().all().item<bool>(), what);
            }

            using var again = Sampler.Create(sampler, 4).Sample(denoiser, Shape, seed: 7);
            TensorAssert.Identical(images, again, what);
        }

        Assert.True(before == Tensor.TotalCount, $"{what}: {Tensor.TotalCount - before} more live tensors.");
    }
}
