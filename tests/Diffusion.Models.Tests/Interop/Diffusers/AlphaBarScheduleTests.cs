using Xunit;

namespace Diffusion.Models.Tests;

/// <summary>
/// The schedules of diffusers that are given by ᾱ(u), without a recording: values of betas_for_alpha_bar (huggingface/diffusers 0.42.1, scheduling_ddpm.py),
/// computed by Python's math functions, with β and 1 − β rounded to single precision as there, the products in double precision.
/// </summary>
public sealed class AlphaBarScheduleTests
{
    [Theory]
    [InlineData("DDPMScheduler", "laplace", 10, new[] { 0, 4, 5, 9 }, new[] { 0.831669092178, 0.707460182269, 0.687465127854, 0.0316227939099 })]
    [InlineData("DDPMScheduler", "laplace", 1000, new[] { 0, 250, 499, 500, 998, 999 }, new[] { 0.978846251965, 0.765432835284, 0.707460318248, 0.707283423819, 0.207026600135, 0.0316227733807 })]
    [InlineData("HeunDiscreteScheduler", "exp", 10, new[] { 0, 4, 5, 9 }, new[] { 0.301194190979, 0.00247875131529, 0.000746585497047, 6.14420808306e-06 })]
    [InlineData("HeunDiscreteScheduler", "exp", 1000, new[] { 0, 250, 499, 999 }, new[] { 0.988071739674, 0.0491935289754, 0.00247878580781, 6.14437908102e-06 })]
    public void Schedule_AlphaBar_IsThatOfTheFormula(string name, string schedule, int timesteps, int[] at, double[] alphaBars)
    {
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}","beta_schedule":"{{schedule}}","num_train_timesteps":{{timesteps}}}""");
        Assert.Equal(timesteps, scheduler.Schedule.Timesteps);
        for (var i = 0; i < at.Length; i++)
        {
            var level = scheduler.Schedule.LevelAt(at[i]);
            Assert.Equal(1, level.Alpha * level.Alpha / alphaBars[i], 2e-7);
            Assert.Equal(1, level.Scale, 1e-12);
        }
    }

    [Fact]
    public void Sample_LaplaceSchedule_TakesBetaFromItsAlphaBars()
    {
        // The last step but one of 10: posterior mean and β̃ with the Python values, for x̂₀ = ½, x = 1 and z = 1.
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"DDPMScheduler","beta_schedule":"laplace","num_train_timesteps":10}""");
        var (now, before) = (0.687465127854, 0.707460182269);
        var beta = 1 - (now / before);
        var expected = (0.5 * Math.Sqrt(before) * beta / (1 - now)) + (Math.Sqrt(now / before) * (1 - before) / (1 - now)) + Math.Sqrt((1 - before) / (1 - now) * beta);
        using var one = TorchSharp.torch.ones(1, 1, 1, 1);
        using var half = one / 2;
        using var draws = TorchSharp.torch.ones([1, 1, 1, 1, 1]);
        using var noise = new ReplayNoise(draws);
        var reached = double.NaN;
        Assert.Throws<OperationCanceledException>(() => scheduler.CreateSampler(10).Continue(
            new FunctionDenoiser(scheduler.Schedule, (_, _) => half.clone()), one, noise, firstStep: 4, onStep: step =>
            {
                reached = step.Noisy.item<float>();
                throw new OperationCanceledException();
            }));
        Assert.Equal(expected, reached, 1e-5);
    }
}
