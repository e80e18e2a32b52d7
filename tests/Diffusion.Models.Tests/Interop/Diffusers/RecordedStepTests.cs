using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Recorded steps of diffusers schedulers that are not runs from level to level (huggingface/diffusers, 0.42.1).</summary>
public sealed class RecordedStepTests
{
    /// <summary>Called without <c>prev_timestep</c> its step goes from t to t − 1, whatever the next timestep of its list is; its pipelines pass the next, which runs here go to.</summary>
    [Theory]
    [InlineData("unclip_10")]
    [InlineData("unclip_8_sample")]
    public void UnClip_RecordedSteps_AreThoseToTheTimestepBefore(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case($"diffusers_schedulers_2/{name}");
        var run = new SchedulerCase(golden);
        var schedule = run.Scheduler.Schedule;
        var limit = SchedulerSamplers.Limit(SchedulerConfig.Parse(run.Json, null, null));
        var timesteps = golden["timesteps"].data<long>().ToArray();
        Assert.Equal(timesteps, run.Scheduler.CreateSampler(run.Steps).Levels(schedule).SkipLast(1).Select(level => (long)level.Timestep));
        for (var i = 0; i < run.Steps; i++)
        {
            var t = (int)timesteps[i];
            var sampler = new DdpmSampler(null, new() { Spacing = StepSpacing.Through([schedule.LevelAt(t), t > 0 ? schedule.LevelAt(t - 1) : NoiseLevel.Clean]) });
            var replay = new ReplayDenoiser(schedule, run.Scheduler.Parameterization, golden["model_outputs"].narrow(0, i, 1));
            using var noise = new ReplayNoise(t > 0 ? golden["noise"].narrow(0, i, 1) : null);
            using var result = sampler.Continue(replay.Limited(limit), golden["samples"][i], noise, onStep: step =>
                TensorAssert.Close(golden["pred_original"][i], step.Image, golden.AbsoluteTolerance, golden.RelativeTolerance, $"x̂₀ of step {i}"));
            var expected = t > 0 ? golden["samples"][i + 1] : golden["samples"][i + 1] / LastWeightOfPeer();
            TensorAssert.Close(expected, result, golden.AbsoluteTolerance, golden.RelativeTolerance, $"step {i}");
        }
    }

    /// <summary>
    /// The weight β₀/(1 − ᾱ₀) of x̂₀ in the peer's last step, 1 by definition: in single precision 1 − ᾱ₀ ≈ 4.1e-5 is a multiple of 2⁻²⁴, right to 7e-4 of its value.
    /// </summary>
    private static double LastWeightOfPeer()
    {
        var beta = (float)new CosineNoiseSchedule(1000).Betas[0];
        return beta / (1 - (1 - beta));
    }

    /// <summary><c>batch_step_no_noise</c>: one step of each image, every one at another timestep, and the clean image after the last whatever set_alpha_to_one is.</summary>
    [Theory]
    [InlineData("ddim_parallel_batch_8")]
    [InlineData("ddpm_parallel_batch_12")]
    public void Parallel_BatchWithoutNoise_IsAStepOfEachImage(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case($"diffusers_schedulers_2/{name}");
        var run = new SchedulerCase(golden);
        var schedule = run.Scheduler.Schedule;
        var count = (int)golden["x"].shape[0];
        NoiseLevel[] levels = [.. run.Scheduler.CreateSampler(count).Levels(schedule).Take(count), NoiseLevel.Clean];
        Assert.Equal(golden["timesteps"].data<long>().ToArray(), levels.SkipLast(1).Select(level => (long)level.Timestep));
        var limit = SchedulerSamplers.Limit(SchedulerConfig.Parse(run.Json, null, null));
        for (var i = 0; i < count; i++)
        {
            var spacing = StepSpacing.Through([levels[i], levels[i + 1]]);
            Sampler sampler = run.Scheduler.ClassName == "DDIMParallelScheduler"
                ? new DdimSampler(null, new() { Spacing = spacing, RederiveNoise = false })
                : new DdpmSampler(null, new() { Spacing = spacing });
            var replay = new ReplayDenoiser(schedule, run.Scheduler.Parameterization, golden["model_output"].narrow(0, i, 1).unsqueeze(0));
            using var noise = new ReplayNoise(zeros([1, 1, 3, 4, 4]));
            using var result = sampler.Continue(replay.Limited(limit), golden["x"].narrow(0, i, 1), noise);
            TensorAssert.Close(golden["out"].narrow(0, i, 1), result, golden.AbsoluteTolerance, golden.RelativeTolerance, $"image {i}");
        }
    }

    /// <summary>Two Langevin steps and a prediction at every level; the mean of the last prediction is the result, as the pipeline returns it.</summary>
    [Fact]
    public void ScoreSdeVe_RecordedRun_MakesTheSameImages()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("diffusers_schedulers_2/score_sde_ve_5");
        var run = new SchedulerCase(golden);
        var samples = golden["samples"];
        var tolerance = golden.AbsoluteTolerance * samples.abs().max().item<float>();
        var sigmas = golden["sigmas"].data<float>().ToArray();
        void Close(Tensor expected, Tensor actual, string what) => TensorAssert.Close(expected, actual, tolerance, golden.RelativeTolerance, what);
        var replay = new ReplayDenoiser(run.Scheduler.Schedule, run.Scheduler.Parameterization, golden["model_outputs"], (call, noisy, level) =>
        {
            Assert.Equal(sigmas[call / 3], level.Timestep, sigmas[call / 3] * 1e-5);
            Close(samples[call], noisy, $"input of call {call}");
        });
        using var noise = new ReplayNoise(golden["noise"]);
        using var result = run.Scheduler.CreateSampler(sigmas.Length).Continue(replay, samples[0], noise);

        Close(golden["prev_sample_mean"], result, "result");
        Assert.Equal(15, replay.Calls);
        Assert.Equal(14, noise.Used);
    }
}
