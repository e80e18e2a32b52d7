using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>The forward process of diffusers schedulers (huggingface/diffusers, commit 58eb52c).</summary>
public sealed class AddNoiseTests
{
    [Theory]
    [InlineData("diffusers_schedulers/add_noise_velocity_a")]
    [InlineData("diffusers_schedulers/add_noise_velocity_b")]
    public void AddNoise_WholeTimesteps_IsTheRecordedImage(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        foreach (var (prefix, json) in new[]
        {
            ("ddpm", """{"_class_name":"DDPMScheduler"}"""),
            ("ddpm_zsnr", """{"_class_name":"DDPMScheduler","rescale_betas_zero_snr":true}"""),
            ("ddim_scaled", """{"_class_name":"DDIMScheduler","beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012}"""),
        })
        {
            var levels = DiffusersScheduler.Parse(json).Schedule.LevelsAt(golden["t"].data<long>().ToArray());
            Close(golden, $"{prefix}.add_noise", ForwardProcess.AddNoise(golden["x"], golden["noise"], levels));
            Close(golden, $"{prefix}.velocity", Parameterization.Velocity.Target(golden["x"], golden["noise"], levels));
        }
    }

    [Theory]
    [InlineData("euler", """{"_class_name":"EulerDiscreteScheduler"}""", true)]
    [InlineData("heun", """{"_class_name":"HeunDiscreteScheduler"}""", true)]
    [InlineData("dpm", """{"_class_name":"DPMSolverMultistepScheduler"}""", false)]
    [InlineData("edm", """{"_class_name":"EDMEulerScheduler"}""", false)]
    public void AddNoise_LevelsOfASampler_IsTheRecordedImage(string prefix, string json, bool inSigma)
    {
        foreach (var name in new[] { "diffusers_schedulers/add_noise_velocity_a", "diffusers_schedulers/add_noise_velocity_b" })
        {
            using var scope = NewDisposeScope();
            using var golden = Golden.Case(name);
            var scheduler = DiffusersScheduler.Parse(json);
            var visited = scheduler.CreateSampler(10).Levels(scheduler.Schedule);
            NoiseLevel[] levels = [.. golden[$"{prefix}.t"].data<float>().ToArray().Select(t => visited.First(level => Math.Abs(level.Timestep - t) < 1e-4 * (1 + Math.Abs(t))))];
            var noisy = ForwardProcess.AddNoise(golden["x"], golden["noise"], levels);
            var scale = tensor(levels.Select(level => (float)(inSigma ? 1 / level.Alpha : 1)).ToArray()).view(-1, 1, 1, 1);
            Close(golden, $"{prefix}.add_noise", noisy * scale);
        }
    }

    [Fact]
    public void AddNoise_FlowLevels_IsTheRecordedImage()
    {
        foreach (var name in new[] { "diffusers_schedulers/add_noise_velocity_a", "diffusers_schedulers/add_noise_velocity_b" })
        {
            using var scope = NewDisposeScope();
            using var golden = Golden.Case(name);
            NoiseLevel[] levels = [.. golden["flow.t"].data<float>().ToArray().Select(t => new NoiseLevel(1 - (t / 1000.0), t / 1000.0, t))];
            Close(golden, "flow.scale_noise", ForwardProcess.AddNoise(golden["x"], golden["noise"], levels));
        }
    }

    private static void Close(GoldenCase golden, string key, Tensor actual)
    {
        TensorAssert.Close(golden[key], actual, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{golden.Name}: {key}");
    }
}
