namespace Diffusion.Tests;

public sealed class LogSnrNoiseScheduleTests
{
    [Fact]
    public void LevelAt_WholeAndFractionalTimesteps_FollowsTheFormula()
    {
        INoiseSchedule schedule = new LogSnrNoiseSchedule(time => 5 - (10 * time), timesteps: 10);
        Assert.Equal(0, schedule.LevelAt(4).HalfLogSnr, 1e-12);
        Assert.Equal(Math.Sqrt(0.5), schedule.LevelAt(4).Alpha, 1e-12);
        Assert.Equal(-0.25, schedule.LevelAt(4.5).HalfLogSnr, 1e-12);
        Assert.Equal(-5, schedule.LevelAt(9).Timestep, 1e-12);
        Assert.Equal(1, schedule.LevelAt(9).Scale, 1e-12);
        var level = schedule.LevelWithRatio(2);
        Assert.Equal((2.0, 1.0), (Math.Round(level.Ratio, 12), Math.Round(level.Scale, 12)));
    }

    [Fact]
    public void Linear_ContinuousTime_IsTheVarianceOfAnEvenlyGrowingBeta()
    {
        var level = LogSnrNoiseSchedule.Linear(100).LevelAt(49);
        Assert.Equal(Math.Exp(-1e-4 - 2.5), level.Alpha * level.Alpha, 1e-12);
    }

    [Fact]
    public void Cosine_AnyTimestep_HasTheLevelsOfTheTabulatedScheduleBeforeItsDivision()
    {
        var (continuous, table) = (LogSnrNoiseSchedule.Cosine(), new CosineNoiseSchedule());
        var whole = Math.Cos(0.008 / 1.008 * Math.PI / 2);
        foreach (var t in new[] { 0, 300, 900 })
        {
            Assert.Equal(table.LevelAt(t).Alpha * whole, continuous.LevelAt(t).Alpha, 1e-10);
        }
    }

    [Fact]
    public void LogSnrNoiseSchedule_WrongArguments_SaysWhatWasGivenAndWhatIsNeeded()
    {
        Assert.Contains("decrease; at time 1 it is 1 after 0.5", Assert.Throws<ArgumentException>(() => new LogSnrNoiseSchedule(time => time, 2)).Message, StringComparison.Ordinal);
        Assert.Contains("finite", Assert.Throws<ArgumentException>(() => new LogSnrNoiseSchedule(time => -Math.Log(time - 0.5), 2)).Message, StringComparison.Ordinal);
        Assert.Equal("timesteps", Assert.Throws<ArgumentOutOfRangeException>(() => LogSnrNoiseSchedule.Linear(0)).ParamName);
        Assert.Equal("offset", Assert.Throws<ArgumentOutOfRangeException>(() => LogSnrNoiseSchedule.Cosine(offset: -1)).ParamName);
        Assert.Equal("noiseSizeHigh", Assert.Throws<ArgumentOutOfRangeException>(() => LogSnrNoiseSchedule.InterpolatedCosine(64, 32, 0)).ParamName);
        var schedule = LogSnrNoiseSchedule.Linear(10);
        Assert.Contains("[0, 10)", Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(10)).Message, StringComparison.Ordinal);
        Assert.Contains("[0, 9]", Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(9.5)).Message, StringComparison.Ordinal);
        Assert.Contains("[0, 1]", Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAtTime(-0.1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelWithRatio(0));
    }
}
