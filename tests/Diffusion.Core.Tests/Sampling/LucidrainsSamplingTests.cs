using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Recorded sampling loops of lucidrains/denoising-diffusion-pytorch (commit faed4db).</summary>
public sealed class LucidrainsSamplingTests
{
    [Fact]
    public void Continue_RecordedDdimLoop_MakesTheSameImages()
    {
        // Timesteps at the whole parts of an even row from −1 to 999.
        var grid = new TimestepGrid(Enumerable.Range(1, 10).Reverse().Select(i => (int)(-1 + (i * 100.0))));
        Loop("lucidrains/ddim_noise_eta0", new CosineNoiseSchedule(), Parameterization.Epsilon, new DdimSampler(null, new() { Spacing = StepSpacing.Over(grid) }));
    }

    [Fact]
    public void Continue_RecordedSelfConditionedLoop_MakesTheSameImages()
    {
        // The peer scales its linear βs by 1000/T, as we do. Timesteps at the whole parts of an even row from −1 to 199.
        var grid = new TimestepGrid(Enumerable.Range(1, 8).Reverse().Select(i => (int)(-1 + (i * 25.0))));
        Loop(
            "lucidrains/ddim_x0_eta07_selfcond", new LinearNoiseSchedule(200), Parameterization.Image, new DdimSampler(null, new() { Spacing = StepSpacing.Over(grid), Eta = 0.7 }), selfConditioning: true);
    }

    [Fact]
    public void Continue_RecordedAncestralLoop_MakesTheSameImages() =>
        Loop("lucidrains/p_sample_loop_v", new SigmoidNoiseSchedule(12), Parameterization.Velocity, new DdpmSampler());

    [Fact]
    public void Continue_RecordedElucidatedLoop_MakesTheSameImages()
    {
        var churn = new Churn(80, 0.05, 50, 1.003);
        Elucidated("lucidrains/elucidated_sample", 0.5, spacing => new HeunSampler(null, new() { Spacing = spacing, Churn = churn, StartsAtSigma = true }), clip: true);
    }

    [Fact]
    public void Continue_RecordedElucidatedSolver_MakesTheSameImages() =>
        Elucidated("lucidrains/elucidated_dpmpp", 0.7, spacing => new DpmSolverSampler(null, new() { Spacing = spacing, LowerOrderFinal = false, StartsAtSigma = true }), clip: false);

    private static void Loop(string name, INoiseSchedule schedule, Parameterization parameterization, Sampler sampler, bool selfConditioning = false)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        using var network = new RecordedNetwork(golden);
        using var noise = new ReplayNoise(golden["noise"]);
        var denoiser = new NetworkDenoiser(network, schedule, parameterization, selfConditioning: selfConditioning).Limited(ImageLimit.Clip());

        using var result = sampler.SampleFrom(denoiser, golden["noise"].shape.AsSpan(1), noise, onStep: step => TensorAssert.Close(
            golden["all"].select(1, step.Index + 1), (step.Noisy + 1) / 2, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: step {step.Index}"));

        Assert.InRange(noise.Used, 1, golden["noise"].shape[0]);
    }

    private static void Elucidated(string name, double sigmaData, Func<StepSpacing, Sampler> sampler, bool clip)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        using var network = new RecordedNetwork(golden);
        using var noise = new ReplayNoise(golden["noise"]);
        var schedule = SigmaNoiseSchedule.Karras();
        IDenoiser denoiser = new NetworkDenoiser(network, schedule, Parameterization.Karras(sigmaData));
        var spacing = StepSpacing.Karras();
        var levels = spacing.Levels(schedule, 8);
        TensorAssert.Close(golden["sigmas"], tensor(levels.Select(level => (float)level.Sigma).ToArray()), 1e-6, 1e-5, "sigmas");

        using var result = sampler(StepSpacing.Through(levels)).SampleFrom(
            clip ? denoiser.Limited(ImageLimit.Clip()) : denoiser, golden["noise"].shape.AsSpan(1), noise, onStep: step => noise.Used = step.Index + 2);

        TensorAssert.Close(golden["out"], (result.clamp(-1, 1) + 1) / 2, golden.AbsoluteTolerance, golden.RelativeTolerance, name);
    }
}
