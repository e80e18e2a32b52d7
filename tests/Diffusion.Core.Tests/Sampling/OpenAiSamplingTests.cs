using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Recorded sampling loops of openai/improved-diffusion (commit 1bc7bbb).</summary>
public sealed class OpenAiSamplingTests
{
    [Theory]
    [InlineData("openai_diffusion/p_sample_loop_T20", false, 0)]
    [InlineData("openai_diffusion/ddim_loop_1000_ddim25_eta0", true, 0)]
    [InlineData("openai_diffusion/ddim_loop_eta06", true, 0.6)]
    public void Continue_RecordedLoop_MakesTheSameImages(string name, bool ddim, double eta)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        var schedule = golden.Schedule();
        var spacing = StepSpacing.Through([.. Levels(golden, schedule).Reverse(), NoiseLevel.Clean]);
        Sampler sampler = ddim
            ? new DdimSampler(null, new() { Spacing = spacing, Eta = eta })
            : new DdpmSampler(null, new() { Spacing = spacing, Variance = golden.Variance() });
        using var network = new RecordedNetwork(golden);
        var denoiser = new NetworkDenoiser(network, schedule, golden.Parameterization(schedule)).Limited(ImageLimit.Clip());
        using var noise = new ReplayNoise(golden["noise"]);

        using var result = sampler.Continue(denoiser, golden["x_T"], noise, onStep: step =>
        {
            TensorAssert.Close(golden["samples"][step.Index], step.Noisy, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: step {step.Index}");
            TensorAssert.Close(golden["pred_xstart"][step.Index], step.Image, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: image {step.Index}");
        });

        TensorAssert.Close(golden["samples"][(int)golden["samples"].shape[0] - 1], result, golden.AbsoluteTolerance, golden.RelativeTolerance, name);
    }

    [Fact]
    public void Continue_RecordedInversion_MakesTheSameNoise()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("openai_diffusion/ddim_reverse");
        var schedule = golden.Schedule();
        var pureNoise = new NoiseLevel(0, 1, schedule.Timesteps);
        var sampler = new DdimInverter(null, new() { Spacing = StepSpacing.Through([.. Levels(golden, schedule), pureNoise]) });
        using var network = new RecordedNetwork(golden);
        // The peer derives ε̂ again from the clipped x̂₀: a denoiser that does not say what it was before.
        var clipped = new NetworkDenoiser(network, schedule).Limited(ImageLimit.Clip());
        var denoiser = new FunctionDenoiser(schedule, (noisy, level) => clipped.Denoise(noisy, level));
        using var noise = new ReplayNoise(null);

        using var result = sampler.Continue(denoiser, golden["x_T"] * 0.3, noise, onStep: step =>
        {
            TensorAssert.Close(golden["samples"][step.Index], step.Noisy.to(ScalarType.Float32), golden.AbsoluteTolerance, golden.RelativeTolerance, $"step {step.Index}");
            TensorAssert.Close(golden["pred_xstart"][step.Index], step.Image.to(ScalarType.Float32), golden.AbsoluteTolerance, golden.RelativeTolerance, $"image {step.Index}");
        });

        Assert.Equal(ScalarType.Float32, result.dtype);
    }

    /// <summary>The levels of the respaced timesteps, least noise first, with the labels that the network is given.</summary>
    private static IEnumerable<NoiseLevel> Levels(GoldenCase golden, INoiseSchedule schedule)
    {
        var rescale = golden.Constructor.GetProperty("rescale_timesteps").GetBoolean() ? 1000.0 / schedule.Timesteps : 1;
        return golden["timestep_map"].data<long>().ToArray().Select(t => schedule.LevelAt((int)t)).Select(level => new NoiseLevel(level.Alpha, level.Sigma, level.Timestep * rescale));
    }
}
