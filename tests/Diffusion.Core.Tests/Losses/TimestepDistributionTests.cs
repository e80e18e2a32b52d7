using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class TimestepDistributionTests
{
    private static readonly LinearNoiseSchedule s_schedule = new();

    /// <summary>What the trainer has drawn since its first version: a run resumed with a newer library goes on with the same numbers.</summary>
    [Fact]
    public void Uniform_Draw_IsOneCallOfTheGenerator()
    {
        using var first = new Generator(5);
        using var second = new Generator(5);
        using var expected = randint(1000, [64], ScalarType.Int64, generator: first);
        var draw = TimestepDistribution.Uniform.Draw(s_schedule, 64, second);
        Assert.Equal(expected.data<long>().ToArray().Select(t => (int)t), draw.Timesteps!);
        Assert.All(draw.Weights, weight => Assert.Equal(1, weight));
        Assert.Equal(draw.Timesteps!.Select(s_schedule.LevelAt), draw.Levels);
        using var next = randn(3, generator: first);
        using var other = randn(3, generator: second);
        TensorAssert.Identical(next, other, "what is drawn next");
    }

    [Fact]
    public void Draw_SameSeed_GivesTheSame()
    {
        foreach (var distribution in All())
        {
            Assert.Equal(Draw(distribution, 3).Levels, Draw(distribution, 3).Levels);
            Assert.NotEqual(Draw(distribution, 3).Levels, Draw(distribution, 4).Levels);
        }
    }

    [Fact]
    public void Stratified_Draw_HasOneImageInEveryPart()
    {
        var draw = Draw(TimestepDistribution.Stratified, 1, count: 100);
        Assert.All(draw.Timesteps!, (t, i) => Assert.InRange(t, i * 10, (i * 10) + 9));
        var sigmas = Draw(SigmaDensity.LogUniform(0.01, 100).Stratify(), 1, count: 4).Levels.Select(level => level.Ratio).ToList();
        Assert.All(sigmas, (sigma, i) => Assert.InRange(sigma, 0.01 * Math.Pow(10, i), 0.1 * Math.Pow(10, i)));
    }

    [Fact]
    public void LogitNormal_ManyDraws_HaveItsQuantiles()
    {
        var sorted = Draw(TimestepDistribution.LogitNormal(0.5, 0.8), 1, count: 20_000).Timesteps!.Order().ToList();
        foreach (var (share, deviations) in new[] { (0.1587, -1.0), (0.5, 0.0), (0.8413, 1.0) })
        {
            var expected = 1000 / (1 + Math.Exp(-(0.5 + (0.8 * deviations))));
            Assert.Equal(expected, sorted[(int)(share * sorted.Count)], 12.0);
        }
    }

    [Fact]
    public void Edm_ManyDraws_HaveItsMeanAndDeviation()
    {
        var logs = Draw(TimestepDistribution.Edm, 1, count: 20_000).Levels.Select(level => Math.Log(level.Ratio)).ToList();
        Assert.Equal(-1.2, logs.Average(), 0.03);
        Assert.Equal(1.2, Math.Sqrt(logs.Average(log => Math.Pow(log + 1.2, 2))), 0.03);
    }

    /// <summary>Against crowsonkb/k-diffusion (tests/golden/README.md).</summary>
    [Fact]
    public void RatioAt_OfEveryDensity_EqualsTheRecorded()
    {
        using var golden = Golden.Case("k_diffusion/sigma_densities");
        Compare("log_normal", SigmaDensity.LogNormal(-1.2, 1.2));
        Compare("log_logistic", SigmaDensity.LogLogistic(Math.Log(0.5), 0.5, 1e-3, 1e3));
        Compare("log_uniform", SigmaDensity.LogUniform(0.01, 50));
        Compare("v_diffusion", SigmaDensity.VelocityDiffusion(0.5, 1e-3, 1e3));
        Compare("cosine_interpolated", SigmaDensity.CosineInterpolated(64, 32, 64, 0.5));

        void Compare(string name, SigmaDensity density) => golden.Close(name, golden.Numbers("u").Select(density.RatioAt));
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963984540054)]
    [InlineData(0.0013498980316300946, -3)]
    [InlineData(2.866515718791939e-07, -5)]
    [InlineData(7.619853024160527e-24, -10)]
    [InlineData(0.4999, -0.00025066283008811)]
    public void RatioAt_StandardLogNormal_IsTheExponentialOfTheNormalQuantile(double share, double expected) =>
        Assert.Equal(expected, Math.Log(SigmaDensity.LogNormal(0, 1).RatioAt(share)), 1e-12 * Math.Max(1, Math.Abs(expected)));

    [Fact]
    public void SigmaDensity_CutOff_StaysBetweenItsEnds()
    {
        foreach (var density in new[] { SigmaDensity.LogLogistic(0, 1, 0.1, 9), SigmaDensity.LogUniform(0.1, 9), SigmaDensity.VelocityDiffusion(0.5, 0.1, 9), SigmaDensity.CosineInterpolated(64, 32, 128, 0.5, 0.1, 9) })
        {
            var ends = new[] { density.RatioAt(1e-12), density.RatioAt(1 - 1e-12) };
            Assert.Equal(0.1, ends.Min(), 1e-6);
            Assert.Equal(9, ends.Max(), 1e-6);
        }
    }

    [Fact]
    public void TimestepDistribution_WrongNumbers_SaysWhichAndWhatIsNeeded()
    {
        Assert.Equal("scale", Assert.Throws<ArgumentOutOfRangeException>(() => TimestepDistribution.LogitNormal(0, 0)).ParamName);
        Assert.Equal("mean", Assert.Throws<ArgumentOutOfRangeException>(() => TimestepDistribution.LogitNormal(double.NaN)).ParamName);
        Assert.Contains("(0, 1]", Assert.Throws<ArgumentOutOfRangeException>(() => TimestepDistribution.LossSecondMoment(uniformShare: 0)).Message, StringComparison.Ordinal);
        Assert.Equal("sigmaMax", Assert.Throws<ArgumentOutOfRangeException>(() => SigmaDensity.LogUniform(2, 1)).ParamName);
        Assert.Contains("'sigmaMin'", Assert.Throws<ArgumentOutOfRangeException>(() => SigmaDensity.LogLogistic(sigmaMin: 0)).Message, StringComparison.Ordinal);
        Assert.Contains("(0, 1)", Assert.Throws<ArgumentOutOfRangeException>(() => SigmaDensity.LogNormal().RatioAt(1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Draw(TimestepDistribution.Uniform, 1, count: 0));
        Assert.Contains("there is none", Assert.Throws<ArgumentException>(() => Draw(TimestepDistribution.LossSecondMoment(), 1)).Message, StringComparison.Ordinal);
    }

    private static TimestepDistribution[] All() =>
    [
        TimestepDistribution.Uniform, TimestepDistribution.Stratified, TimestepDistribution.Edm, TimestepDistribution.LogitNormal(),
        SigmaDensity.LogLogistic(), SigmaDensity.LogUniform(), SigmaDensity.VelocityDiffusion(), SigmaDensity.CosineInterpolated(64, 32, 64),
    ];

    private static TimestepDraw Draw(TimestepDistribution distribution, ulong seed, int count = 16)
    {
        using var generator = new Generator(seed);
        return distribution.Draw(s_schedule, count, generator);
    }
}
