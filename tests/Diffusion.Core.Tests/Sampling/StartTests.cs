using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>The standard deviation of the noise that a run begins with.</summary>
public sealed class StartTests
{
    [Fact]
    public void Sample_Default_BeginsWithTheDeviationOfNoisyImagesOfUnitVariance()
    {
        var schedule = new SigmaNoiseSchedule([1, 2, 3]);
        foreach (var name in Sampler.Names.Where(name => name is not ("edm" or "lcm")))
        {
            Assert.Equal((name, 3.162278), (name, Math.Round(FirstCall.Deviation(Sampler.Create(name, 2), schedule), 6))); // √(1 + 3²)
        }
    }

    [Fact]
    public void Sample_StartsAtSigma_BeginsWithSigma()
    {
        var schedule = new SigmaNoiseSchedule([1, 2, 3]);
        Sampler[] samplers =
        [
            new DdpmSampler(2, new() { StartsAtSigma = true }), new DdimSampler(2, new() { StartsAtSigma = true }), new EulerSampler(2, new() { StartsAtSigma = true }),
            new HeunSampler(2, new() { StartsAtSigma = true }), new Dpm2Sampler(2, new() { StartsAtSigma = true }), new LmsSampler(2, new() { StartsAtSigma = true }),
            new PndmSampler(2, new() { StartsAtSigma = true }), new DpmSolverSampler(2, new() { StartsAtSigma = true }),
            new DpmSolverSinglestepSampler(2, new() { StartsAtSigma = true }), new UniPcSampler(2, new() { StartsAtSigma = true }),
            new LcmSampler(2, new() { StartsAtSigma = true, Spacing = StepSpacing.Trailing }),
        ];
        Assert.All(samplers, sampler => Assert.Equal(3, FirstCall.Deviation(sampler, schedule), 1e-6));
        var start = new LinearNoiseSchedule().LevelAt(599);
        Assert.Equal(start.Sigma, FirstCall.Deviation(new EulerSampler(null, new() { StartsAtSigma = true, Spacing = StepSpacing.Over([599, 100]) }), new LinearNoiseSchedule()), 1e-6);
    }

    [Fact]
    public void Sample_InpaintingAround_BeginsAsTheInnerSampler()
    {
        using var scope = NewDisposeScope();
        var schedule = new SigmaNoiseSchedule([1, 2, 3]);
        var inner = new EulerSampler(2, new() { StartsAtSigma = true });
        Assert.Equal(3, FirstCall.Deviation(new InpaintingSampler(inner, zeros(1, 1, 1, 1), zeros(1, 1, 1, 1), resamples: 1), schedule), 1e-6);
    }
}
