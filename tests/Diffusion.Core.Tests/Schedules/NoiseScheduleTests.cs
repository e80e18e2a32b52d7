namespace Diffusion.Tests;

public sealed class NoiseScheduleTests
{
    [Fact]
    public void LinearNoiseSchedule_Default_IsThePapers()
    {
        var schedule = new LinearNoiseSchedule();
        Assert.Equal(1000, schedule.Timesteps);
        Assert.Equal(1e-4, schedule.Betas[0]);
        Assert.Equal(0.02, schedule.Betas[^1]);
        Assert.Equal(4.035829765375694e-05, schedule.AlphaBars[^1], 1e-15);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(250)]
    [InlineData(4000)]
    public void LinearNoiseSchedule_OtherLength_DestroysTheImageAsThoroughly(int timesteps)
    {
        var last = new LinearNoiseSchedule(timesteps).AlphaBars[^1];
        Assert.InRange(last, 1e-5, 1e-4);
    }

    [Fact]
    public void LinearNoiseSchedule_ExplicitBetas_AreNotScaled()
    {
        var schedule = new LinearNoiseSchedule(3, 0.1, 0.3);
        Assert.Equal([0.1, 0.2, 0.3], schedule.Betas.Select(beta => Math.Round(beta, 12)));
        Assert.Equal(0.25, new LinearNoiseSchedule(1, 0.25, 0.5).Betas.Single());
    }

    [Fact]
    public void LinearNoiseSchedule_WrongNumbers_SaysWhichAndWhatIsNeeded()
    {
        Assert.Contains("at least 21", Assert.Throws<ArgumentOutOfRangeException>(() => new LinearNoiseSchedule(20)).Message, StringComparison.Ordinal);
        Assert.Equal("betaEnd", Assert.Throws<ArgumentOutOfRangeException>(() => new LinearNoiseSchedule(10, 0.1, 1)).ParamName);
        Assert.Equal("betaStart", Assert.Throws<ArgumentOutOfRangeException>(() => new LinearNoiseSchedule(10, double.NaN, 0.1)).ParamName);
    }

    [Fact]
    public void BetaNoiseSchedule_WrongList_NamesThePlace()
    {
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => new BetaNoiseSchedule([])).Message, StringComparison.Ordinal);
        Assert.Contains("betas[1] is 1.5", Assert.Throws<ArgumentException>(() => new BetaNoiseSchedule([0.5, 1.5])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BetaNoiseSchedule_AnyBetas_MultipliesThem()
    {
        var schedule = new BetaNoiseSchedule([0.5, 0.2]);
        Assert.Equal([0.5, 0.4], schedule.AlphaBars);
        Assert.Equal(Math.Sqrt(0.4), schedule.LevelAt(1).Alpha);
        Assert.Equal(Math.Sqrt(0.6), schedule.LevelAt(1).Sigma);
        Assert.Equal(1, schedule.LevelAt(1).Timestep);
        Assert.Contains("[0, 2)", Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(2)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-0.1, 0.5)]
    [InlineData(0.0, 0.0)]
    [InlineData(double.NaN, 0.5)]
    [InlineData(1.0, -0.5)]
    [InlineData(1.0, double.PositiveInfinity)]
    public void NoiseLevel_ImpossibleWeights_AreRefused(double alpha, double sigma) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new NoiseLevel(alpha, sigma, 0));
}
