using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>
/// The law of what samplers make of standard normal noise, exactly: with the linear denoiser of N(0, s²) every image is a sum of the start and of the noise
/// draws, and a batch of unit vectors gives the weights. The standard deviation must come to s.
/// </summary>
public sealed class SamplerLawTests
{
    private const double Deviation = 0.5;

    private static readonly string[] Families = ["linear", "cosine", "vp-sde", "linear-zero-snr", "cosine-uncapped", "karras", "flow"];

    /// <summary>Those whose law is right to first order only: after 400 steps they may be off by 2 % of s, the others by 0.2 %.</summary>
    private static readonly string[] FirstOrder = ["ddpm", "ddim", "euler", "euler-ancestral", "dpm++1", "dpm++sde", "dpm++2s-ancestral", "dpm2-ancestral"];

    public static TheoryData<string> Samplers() => [.. Sampler.Names.Where(name => name is not ("lcm" or "pndm" or "plms" or "edm"))];

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Sample_ManySteps_LandsOnTheDistributionOfTheData(string sampler)
    {
        var wrong = new List<string>();
        foreach (var family in Families)
        {
            var deviation = FinalDeviation(Sampler.Create(sampler, 400, StepSpacing.LogSnr), NoiseSchedule.Create(family));
            if (Math.Abs((deviation / Deviation) - 1) > (FirstOrder.Contains(sampler) ? 0.02 : 0.002))
            {
                wrong.Add($"{sampler} on {family}: {deviation:F5} instead of {Deviation}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Theory]
    [InlineData("ddpm", 1)]
    [InlineData("euler-ancestral", 1)]
    [InlineData("dpm++2m-sde", 2)]
    [InlineData("dpm++3m-sde", 2)]
    [InlineData("dpm++sde", 1)]
    [InlineData("dpm++2s-ancestral", 1)]
    public void Sample_StochasticWithMoreAndMoreSteps_ErrorOfTheLawFallsWithTheDeclaredOrder(string sampler, double order)
    {
        foreach (var family in new[] { "linear", "cosine", "karras" })
        {
            var schedule = NoiseSchedule.Create(family);
            double Error(int steps) => Math.Abs(FinalDeviation(Through(sampler, schedule, steps), schedule) - Exact());
            var measured = Math.Log2(Error(60) / Error(120));
            Assert.True(measured > order - 0.2, $"{sampler} on {family}: order {measured:F2}, declared {order}.");
        }
    }

    /// <summary>SDE samplers follow one path of noise for each image, so that more steps bring the same image nearer to its limit, by about the square root of 4 and more.</summary>
    [Theory]
    [InlineData("dpm++2m-sde")]
    [InlineData("dpm++3m-sde")]
    [InlineData("dpm++sde")]
    [InlineData("dpm++2s-ancestral")]
    public void Sample_SdeWithMoreSteps_RefinesTheSameImages(string sampler)
    {
        using var scope = NewDisposeScope();
        var schedule = new LinearNoiseSchedule();
        Tensor Images(int steps) => Through(sampler, schedule, steps).Sample(new GaussianDenoiser(schedule), [8, 1, 8, 8], seed: 3);
        var finest = Images(640);
        double Distance(int steps) => (Images(steps) - finest).square().mean().sqrt().item<float>();
        var (coarse, fine) = (Distance(20), Distance(160));

        Assert.True(fine < coarse / 2, $"{sampler}: {coarse:F4} at 20 steps, {fine:F4} at 160");
        Assert.True(fine < 0.1, $"{sampler}: {fine:F4} at 160 steps; independent images differ by 0.7");
    }

    private const double Max = 20;
    private const double Min = 0.05;

    /// <summary>What a standard normal start at σ/α = 20 would have to end with at 0.05, in units of x/α, for the law of the data.</summary>
    private static double Exact() => Math.Sqrt((Deviation * Deviation) + (Min * Min));

    private static Sampler Through(string sampler, INoiseSchedule schedule, int steps) => Sampler.Create(sampler, null, StepSpacing.Through(
        Enumerable.Range(0, steps + 1).Select(i => schedule.LevelWithRatio(Max * Math.Pow(Min / Max, (double)i / steps)))));

    private static double FinalDeviation(Sampler sampler, INoiseSchedule schedule)
    {
        using var scope = NewDisposeScope();
        var levels = sampler.Levels(schedule);
        using var units = new UnitVectors(3 * levels.Count);
        var denoiser = new GaussianDenoiser(schedule, 0, Deviation);
        var first = levels[0];
        var right = Math.Sqrt((first.Alpha * first.Alpha * Deviation * Deviation) + (first.Sigma * first.Sigma));
        var start = units.Draw([1, units.Count, 1, 1], CPU).to(ScalarType.Float64) * right;
        using var end = sampler.Continue(denoiser, start, units);
        return end.square().sum().sqrt().item<double>() / levels[^1].Alpha;
    }

    /// <summary>The draws are the unit vectors, one after the other.</summary>
    private sealed class UnitVectors(int count) : NoiseSource
    {
        private int _next;

        public long Count => count;

        public override Tensor Draw(ReadOnlySpan<long> shape, Device device)
        {
            var vector = zeros(shape.ToArray());
            vector[0, _next++, 0, 0] = 1;
            return vector;
        }
    }
}
