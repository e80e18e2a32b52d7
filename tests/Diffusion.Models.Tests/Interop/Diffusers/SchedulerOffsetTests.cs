using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Leading timesteps that steps_offset moves beyond the last one.</summary>
public sealed class SchedulerOffsetTests
{
    private const int Timesteps = 10;

    /// <summary>np.interp of diffusers has the last σ there; the network is told the timestep as it is (scheduling_euler_discrete.py, set_timesteps).</summary>
    [Theory]
    [InlineData("EulerDiscreteScheduler")]
    [InlineData("EulerAncestralDiscreteScheduler")]
    [InlineData("HeunDiscreteScheduler")]
    [InlineData("KDPM2DiscreteScheduler")]
    [InlineData("KDPM2AncestralDiscreteScheduler")]
    [InlineData("DPMSolverSDEScheduler")]
    public void Levels_AllTimestepsAndAnOffset_BeginTwiceAtTheLastSigma(string className)
    {
        var scheduler = Parse(className, 1);
        var levels = scheduler.CreateSampler(Timesteps).Levels(scheduler.Schedule);
        Assert.Equal(Enumerable.Range(1, Timesteps).Reverse().Select(t => (double)t), levels.SkipLast(1).Select(level => level.Timestep));
        Assert.Equal(scheduler.Schedule.LevelAt(Timesteps - 1).Ratio, levels[0].Ratio);
        Assert.Equal(scheduler.Schedule.LevelAt(Timesteps - 1).Ratio, levels[1].Ratio);
        Draws(scheduler, Timesteps);
    }

    [Theory]
    [InlineData("LMSDiscreteScheduler", 5)]
    [InlineData("DPMSolverMultistepScheduler", 5)]
    [InlineData("DPMSolverMultistepInverseScheduler", 7)]
    [InlineData("DEISMultistepScheduler", 5)]
    [InlineData("SASolverScheduler", 5)]
    [InlineData("UniPCMultistepScheduler", 5)]
    public void Levels_OfASolver_MayGoBeyondTheLastTimestepOnce(string className, int offset)
    {
        // 2 steps at 0 and 5 and the offset; the solvers' at 3 and 6, those of the inverse at 0 and 3.
        var scheduler = Parse(className, offset);
        var beyond = scheduler.CreateSampler(2).Levels(scheduler.Schedule).Single(level => level.Timestep >= Timesteps);
        Assert.Equal(scheduler.Schedule.LevelAt(Timesteps - 1).Ratio, beyond.Ratio);
        Draws(scheduler, 2);

        var message = Assert.Throws<ArgumentException>(() => Draws(Parse(className, 9), 2)).Message;
        Assert.Contains($"{className}: \"steps_offset\" is 9", message, StringComparison.Ordinal);
        Assert.Contains("2 steps", message, StringComparison.Ordinal);
    }

    /// <summary>These look ᾱ up in a table, which ends (IndexError in diffusers).</summary>
    [Theory]
    [InlineData("DDPMScheduler")]
    [InlineData("DDIMScheduler")]
    [InlineData("DDIMParallelScheduler")]
    [InlineData("DDIMInverseScheduler")]
    [InlineData("PNDMScheduler")]
    public void Levels_OfATable_NameTheOffsetAndTheSteps(string className)
    {
        var message = Assert.Throws<ArgumentException>(() => Draws(Parse(className, 1), Timesteps)).Message;
        Assert.Contains($"{className}: \"steps_offset\" is 1, with which 10 steps begin at timestep 10; the last is 9", message, StringComparison.Ordinal);
        Draws(Parse(className, 1), Timesteps / 2);
    }

    private static DiffusersScheduler Parse(string className, int offset) =>
        DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","num_train_timesteps":{{Timesteps}},"timestep_spacing":"leading","steps_offset":{{offset}}}""");

    private static void Draws(DiffusersScheduler scheduler, int steps)
    {
        using var scope = NewDisposeScope();
        using var noise = new SeededNoise(1);
        var x = scheduler.CreateSampler(steps).Continue(new FunctionDenoiser(scheduler.Schedule, (noisy, _) => noisy.mul(0.3).sin()), ones(1, 1, 2, 2), noise);
        Assert.True(x.isfinite().all().item<bool>());
    }
}
