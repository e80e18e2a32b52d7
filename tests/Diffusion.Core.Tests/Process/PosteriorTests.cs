namespace Diffusion.Tests;

public sealed class PosteriorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(999)]
    public void Between_Neighbours_IsTheFormulaOfThePaper(int t)
    {
        var schedule = new LinearNoiseSchedule();
        var (beta, now, before) = (schedule.Betas[t], schedule.AlphaBars[t], schedule.AlphaBars[t - 1]);

        var posterior = Posterior.Between(schedule.LevelAt(t), schedule.LevelAt(t - 1));

        Assert.Equal(Math.Sqrt(before) * beta / (1 - now), posterior.ImageWeight, 1e-10); // arXiv:2006.11239, Eq. 7
        Assert.Equal(Math.Sqrt(1 - beta) * (1 - before) / (1 - now), posterior.NoisyWeight, 1e-10);
        Assert.Equal(beta * (1 - before) / (1 - now), posterior.Variance, 1e-10);
    }

    [Theory]
    [InlineData(900, 100)]
    [InlineData(999, 0)]
    public void Between_AnyLevels_GivesTheMarginalOfTheLowerOne(int from, int to)
    {
        var schedule = new LinearNoiseSchedule();
        var (high, low) = (schedule.LevelAt(from), schedule.LevelAt(to));
        var posterior = Posterior.Between(high, low);
        Assert.Equal(low.Alpha, posterior.ImageWeight + (posterior.NoisyWeight * high.Alpha), 1e-12);
        Assert.Equal(low.Sigma * low.Sigma, posterior.Variance + (posterior.NoisyWeight * posterior.NoisyWeight * high.Sigma * high.Sigma), 1e-12);
    }

    [Fact]
    public void Between_LastStep_IsTheImage()
    {
        var posterior = Posterior.Between(new LinearNoiseSchedule().LevelAt(0), NoiseLevel.Clean);
        Assert.Equal((1.0, 0.0, 0.0), (Math.Round(posterior.ImageWeight, 12), posterior.NoisyWeight, posterior.Variance));
    }

    [Fact]
    public void Between_TowardsMoreNoise_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Posterior.Between(new LinearNoiseSchedule().LevelAt(3), new LinearNoiseSchedule().LevelAt(4)));
}
