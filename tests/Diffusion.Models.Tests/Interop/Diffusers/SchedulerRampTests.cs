namespace Diffusion.Models.Tests;

/// <summary>A ramp in σ of Euler replaces what was interpolated, whichever way, between the same ends (scheduling_euler_discrete.py, set_timesteps).</summary>
public sealed class SchedulerRampTests
{
    private const int Steps = 6;

    public static TheoryData<string, Func<double, double, double, double>> Ramps => new()
    {
        { "use_karras_sigmas", (min, max, share) => Math.Pow(Math.Pow(max, 1 / 7.0) + (share * (Math.Pow(min, 1 / 7.0) - Math.Pow(max, 1 / 7.0))), 7) },
        { "use_exponential_sigmas", (min, max, share) => Math.Exp(Math.Log(max) + (share * (Math.Log(min) - Math.Log(max)))) },
        { "use_beta_sigmas", (min, max, share) => min + (BetaSpacing.Quantile(1 - share) * (max - min)) },
    };

    [Theory]
    [MemberData(nameof(Ramps))]
    public void Levels_LogLinearWithARamp_AreThoseOfTheRamp(string ramp, Func<double, double, double, double> sigma)
    {
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"EulerDiscreteScheduler","interpolation_type":"log_linear","timestep_spacing":"leading","{{ramp}}":true}""");
        var levels = scheduler.CreateSampler(Steps).Levels(scheduler.Schedule);
        // Log-linear σ go from the last of the table to the first whatever the timesteps are.
        var (min, max) = (scheduler.Schedule.LevelAt(0).Ratio, scheduler.Schedule.LevelAt(999).Ratio);
        var expected = Enumerable.Range(0, Steps).Select(i => sigma(min, max, i / (Steps - 1.0))).ToList();
        Assert.Equal(expected, levels.SkipLast(1).Select(level => level.Ratio), (a, b) => Math.Abs(a - b) < 1e-9 * max);
        Assert.Equal(expected.Select(ratio => scheduler.Schedule.LevelWithRatio(ratio).Timestep), levels.SkipLast(1).Select(level => level.Timestep), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(0, levels[^1].Sigma);

        var given = DiffusersScheduler.Parse($$"""{"_class_name":"EulerDiscreteScheduler","interpolation_type":"log_linear","sigma_min":0.1,"sigma_max":20,"{{ramp}}":true}""");
        Assert.Equal(
            Enumerable.Range(0, Steps).Select(i => sigma(0.1, 20, i / (Steps - 1.0))), given.CreateSampler(Steps).Levels(given.Schedule).SkipLast(1).Select(level => level.Ratio), (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void Levels_LogLinearWithARampAndContinuousTimesteps_HaveTheirLogarithms()
    {
        var scheduler = DiffusersScheduler.Parse(
            """{"_class_name":"EulerDiscreteScheduler","interpolation_type":"log_linear","use_karras_sigmas":true,"timestep_type":"continuous","prediction_type":"v_prediction","sigma_min":0.002,"sigma_max":700}""");
        var levels = scheduler.CreateSampler(Steps).Levels(scheduler.Schedule);
        Assert.Equal(700, levels[0].Ratio, 1e-9);
        Assert.Equal(0.002, levels[Steps - 1].Ratio, 1e-9);
        Assert.All(levels.SkipLast(1), level => Assert.Equal(Math.Log(level.Ratio) / 4, level.Timestep, 1e-9));
    }
}
