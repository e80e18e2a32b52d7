using TorchSharp;

namespace Diffusion.Tests;

/// <summary>Schedules and the posterior against openai/improved-diffusion (tests/golden/README.md).</summary>
public sealed class OpenAiScheduleTests
{
    [Theory]
    [InlineData("openai_diffusion/tables_linear_1000")]
    [InlineData("openai_diffusion/tables_linear_25")]
    [InlineData("openai_diffusion/tables_cosine_1000")]
    public void Tables_OfTheNamedSchedules_EqualTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        var timesteps = (int)golden["betas"].numel();
        TabulatedNoiseSchedule schedule = name.Contains("linear", StringComparison.Ordinal) ? new LinearNoiseSchedule(timesteps) : new CosineNoiseSchedule(timesteps);
        var levels = Enumerable.Range(0, timesteps).Select(schedule.LevelAt).ToList();
        var posteriors = levels.Select((level, t) => Posterior.Between(level, t == 0 ? NoiseLevel.Clean : levels[t - 1])).ToList();
        var logs = posteriors.Select((posterior, t) => Math.Log(t == 0 ? posteriors[1].Variance : posterior.Variance));

        golden.Close("betas", schedule.Betas);
        golden.Close("alphas_cumprod", schedule.AlphaBars);
        golden.Close("alphas_cumprod_prev", [1, .. schedule.AlphaBars.SkipLast(1)]);
        golden.Close("alphas_cumprod_next", [.. schedule.AlphaBars.Skip(1), 0]);
        golden.Close("sqrt_alphas_cumprod", levels.Select(level => level.Alpha));
        golden.Close("sqrt_one_minus_alphas_cumprod", levels.Select(level => level.Sigma));
        golden.Close("log_one_minus_alphas_cumprod", levels.Select(level => 2 * Math.Log(level.Sigma)));
        golden.Close("sqrt_recip_alphas_cumprod", levels.Select(level => 1 / level.Alpha));
        golden.Close("sqrt_recipm1_alphas_cumprod", levels.Select(level => level.Ratio));
        golden.Close("posterior_variance", posteriors.Select(posterior => posterior.Variance));
        golden.Close("posterior_log_variance_clipped", logs);
        golden.Close("posterior_mean_coef1", posteriors.Select(posterior => posterior.ImageWeight));
        golden.Close("posterior_mean_coef2", posteriors.Select(posterior => posterior.NoisyWeight));
    }

    [Theory]
    [InlineData("openai_diffusion/q_posterior_linear")]
    [InlineData("openai_diffusion/q_posterior_cosine")]
    public void ForwardProcess_AndItsPosterior_EqualTheRecorded(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var golden = Golden.Case(name);
        TabulatedNoiseSchedule schedule = name.Contains("linear", StringComparison.Ordinal) ? new LinearNoiseSchedule() : new CosineNoiseSchedule();
        var (images, noisy, noise) = (golden["x_start"], golden["x_t"], golden["noise"]);
        var timesteps = golden["t"].data<long>().ToArray();
        var levels = schedule.LevelsAt(timesteps);

        golden.Close("q_sample", ForwardProcess.AddNoise(images, noise, levels));
        golden.Close("xstart_from_eps", Parameterization.Epsilon.ToImage(noisy, noise, levels));
        golden.Close("xstart_from_xprev", Parameterization.Previous(schedule).ToImage(noisy, noise, levels));
        golden.Close("eps_from_xstart", Parameterization.Epsilon.Target(images, Noise(noisy, images, levels), levels));
        for (var i = 0; i < levels.Length; i++)
        {
            var posterior = Posterior.Between(levels[i], timesteps[i] == 0 ? NoiseLevel.Clean : schedule.LevelAt((int)timesteps[i] - 1));
            var floor = timesteps[i] == 0 ? Posterior.Between(schedule.LevelAt(1), schedule.LevelAt(0)).Variance : posterior.Variance;
            Row("post_mean", (images[i] * posterior.ImageWeight) + (noisy[i] * posterior.NoisyWeight));
            Row("post_var", torch.full_like(images[i], posterior.Variance));
            Row("post_logvar", torch.full_like(images[i], Math.Log(floor)));
            Row("q_mean", images[i] * levels[i].Alpha);
            Row("q_var", torch.full_like(images[i], levels[i].Sigma * levels[i].Sigma));
            Row("q_logvar", torch.full_like(images[i], 2 * Math.Log(levels[i].Sigma)));

            void Row(string what, torch.Tensor actual) =>
                TensorAssert.Close(golden[what][i], actual, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{what}, image {i}");
        }
    }

    private static torch.Tensor Noise(torch.Tensor noisy, torch.Tensor images, NoiseLevel[] levels) =>
        torch.stack([.. levels.Select((level, i) => (noisy[i] - (images[i] * level.Alpha)) / level.Sigma)]);
}
