namespace Diffusion.Observers.Tests;

public sealed class TimestepQuartilesTests
{
    public static TheoryData<string> Schedules => [.. NoiseSchedule.Names];

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Of_EveryTimestepOfASchedule_IsItsQuarter(string name)
    {
        foreach (var timesteps in new[] { 1000, 250, 51 })
        {
            var schedule = NoiseSchedule.Create(name, timesteps);
            var quartiles = new TimestepQuartiles(schedule);
            Assert.Equal(Enumerable.Range(0, timesteps).Select(t => t * 4 / timesteps), Enumerable.Range(0, timesteps).Select(t => quartiles.Of(schedule.LevelAt(t))));
        }
    }

    [Fact]
    public void Of_LevelsBeyondTheSchedule_AreInTheFirstAndLastQuarter()
    {
        var quartiles = new TimestepQuartiles(SigmaNoiseSchedule.Karras());
        Assert.Equal((0, 3, 3), (quartiles.Of(NoiseLevel.Clean), quartiles.Of(new NoiseLevel(1, 1e4, 0)), quartiles.Of(new NoiseLevel(0, 1, 0))));
    }

    [Fact]
    public void Of_ScheduleOfOneOrTwoTimesteps_LeavesQuartersEmpty()
    {
        var one = SigmaNoiseSchedule.Karras(2);
        Assert.Equal((0, 2), (new TimestepQuartiles(one).Of(one.LevelAt(0)), new TimestepQuartiles(one).Of(one.LevelAt(1))));
        var single = new SigmaNoiseSchedule([0.5]);
        Assert.Equal(0, new TimestepQuartiles(single).Of(single.LevelAt(0)));
    }

    [Fact]
    public void Means_ImagesInTwoQuarters_AreTheirMeans() =>
        Assert.Equal([2.0, null, null, 7.0], new TimestepQuartiles(TinyRun.Schedule).Means(Step(1, (1, 0), (3, 249), (7, 750))));

    [Fact]
    public void LossWindow_MoreStepsThanItKeeps_ForgetsTheFirst()
    {
        var window = new LossWindow(TinyRun.Schedule, 2);
        Assert.Null(window.Loss);
        window.Add(Step(100, (100, 0)));
        window.Add(Step(1, (1, 0), (2, 0), (9, 999)));
        window.Add(Step(2, (6, 0)));
        window.Add(Step(double.NaN, (double.NaN, 0)) with { Skipped = true });
        Assert.Equal(1.5, window.Loss);
        Assert.Equal([3.0, null, null, 9.0], window.Quartiles); // of images, not of steps
        window.Clear();
        Assert.Null(window.Loss);
    }

    private static TrainingStep Step(double loss, params (double Loss, int Timestep)[] images) => new(1, loss, images.Length, 1, default)
    {
        ImageLosses = [.. images.Select(image => image.Loss)],
        Levels = [.. images.Select(image => TinyRun.Schedule.LevelAt(image.Timestep))],
    };
}
