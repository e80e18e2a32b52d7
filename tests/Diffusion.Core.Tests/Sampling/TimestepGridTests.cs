namespace Diffusion.Tests;

public sealed class TimestepGridTests
{
    [Fact]
    public void Linspace_SomeSteps_RunsFromTheLastToTheFirstTimestep()
    {
        Assert.Equal([999, 749, 500, 250, 0], TimestepGrid.Linspace(1000, 5));
        Assert.Equal([999], TimestepGrid.Linspace(1000, 1));
        Assert.Equal(Enumerable.Range(0, 1000).Reverse(), TimestepGrid.Linspace(1000, 1000));
    }

    [Fact]
    public void Linspace_EveryCount_HasThatManyDifferentSteps()
    {
        for (var steps = 1; steps <= 100; steps++)
        {
            Assert.Equal(steps, TimestepGrid.Linspace(100, steps).Distinct().Count());
        }
    }

    [Fact]
    public void TimestepGrid_WrongLists_AreRefused()
    {
        Assert.Contains("[1, 1000]", Assert.Throws<ArgumentOutOfRangeException>(() => TimestepGrid.Linspace(1000, 1001)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TimestepGrid([]));
        Assert.Contains("timesteps[1] is 5 after 5", Assert.Throws<ArgumentException>(() => new TimestepGrid([5, 5])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TimestepGrid([5, -1]));
    }
}
