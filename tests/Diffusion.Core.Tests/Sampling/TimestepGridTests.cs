namespace Diffusion.Tests;

public sealed class TimestepGridTests
{
    [Fact]
    public void Evenly_SomeSteps_RunsFromTheLastToTheFirstTimestep()
    {
        Assert.Equal([999, 749, 500, 250, 0], TimestepGrid.Evenly(1000, 5));
        Assert.Equal([999], TimestepGrid.Evenly(1000, 1));
        Assert.Equal(Enumerable.Range(0, 1000).Reverse(), TimestepGrid.Evenly(1000, 1000));
    }

    [Fact]
    public void Evenly_EveryCount_HasThatManyDifferentSteps()
    {
        for (var steps = 1; steps <= 100; steps++)
        {
            Assert.Equal(steps, TimestepGrid.Evenly(100, steps).Distinct().Count());
        }
    }

    [Fact]
    public void TimestepGrid_WrongLists_AreRefused()
    {
        Assert.Contains("[1, 1000]", Assert.Throws<ArgumentOutOfRangeException>(() => TimestepGrid.Evenly(1000, 1001)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TimestepGrid([]));
        Assert.Contains("timesteps[1] is 5 after 5", Assert.Throws<ArgumentException>(() => new TimestepGrid([5, 5])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TimestepGrid([5, -1]));
    }
}
