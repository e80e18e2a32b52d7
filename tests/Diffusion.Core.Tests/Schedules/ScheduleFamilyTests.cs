namespace Diffusion.Tests;

/// <summary>What holds for every schedule of the library, and the formula of each.</summary>
public sealed class ScheduleFamilyTests
{
    public static TheoryData<string> Names => [.. All.Keys];

    private static Dictionary<string, INoiseSchedule> All { get; } = new()
    {
        ["linear"] = new LinearNoiseSchedule(),
        ["linear 30"] = new LinearNoiseSchedule(30),
        ["scaled linear"] = new ScaledLinearNoiseSchedule(),
        ["cosine"] = new CosineNoiseSchedule(),
        ["cosine uncapped"] = CosineNoiseSchedule.Uncapped(100),
        ["sigmoid"] = new SigmoidNoiseSchedule(),
        ["sigmoid betas"] = SigmoidNoiseSchedule.OfBetas(),
        ["laplace"] = new LaplaceNoiseSchedule(),
        ["vp sde"] = new VpSdeNoiseSchedule(),
        ["karras"] = SigmaNoiseSchedule.Karras(),
        ["exponential"] = SigmaNoiseSchedule.Exponential(),
        ["polyexponential"] = SigmaNoiseSchedule.PolyExponential(50, rho: 2),
        ["flow"] = new RectifiedFlowNoiseSchedule(),
        ["flow shifted"] = new RectifiedFlowNoiseSchedule(100, 3),
        ["zero snr"] = new ZeroTerminalSnrSchedule(new LinearNoiseSchedule()),
        ["log snr linear"] = LogSnrNoiseSchedule.Linear(),
        ["log snr cosine"] = LogSnrNoiseSchedule.Cosine(),
        ["simple diffusion"] = LogSnrNoiseSchedule.ShiftedCosine(256),
        ["betas"] = new BetaNoiseSchedule([0.1, 0.3, 1]),
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void LevelAt_FromFirstToLast_HasMoreAndMoreNoise(string name)
    {
        var schedule = All[name];
        var levels = Enumerable.Range(0, schedule.Timesteps).Select(schedule.LevelAt).ToList();
        for (var t = 1; t < levels.Count; t++)
        {
            Assert.True(levels[t].Ratio > levels[t - 1].Ratio, $"{name}: σ/α at {t} is {levels[t].Ratio} after {levels[t - 1].Ratio}");
            Assert.True(levels[t].Timestep > levels[t - 1].Timestep || schedule is LogSnrNoiseSchedule, $"{name}: timestep at {t}");
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(schedule.Timesteps));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void LevelAt_Fractions_LieBetweenAndMeetTheWholeOnes(string name)
    {
        var schedule = All[name];
        for (var t = 0; t < schedule.Timesteps - 1; t += Math.Max(1, schedule.Timesteps / 7))
        {
            Near(schedule.LevelAt(t), schedule.LevelAt((double)t), 1e-12);
            var middle = schedule.LevelAt(t + 0.5);
            Assert.InRange(middle.Ratio, schedule.LevelAt(t).Ratio, schedule.LevelAt(t + 1).Ratio);
            Assert.InRange(middle.Timestep, Math.Min(schedule.LevelAt(t).Timestep, schedule.LevelAt(t + 1).Timestep), Math.Max(schedule.LevelAt(t).Timestep, schedule.LevelAt(t + 1).Timestep));
            Near(schedule.LevelAt(t + 1), schedule.LevelAt(t + 1 - 1e-9), 1e-5);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(schedule.Timesteps - 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(-0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelAt(double.NaN));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void LevelWithRatio_OfTheLevels_FindsThem(string name)
    {
        var schedule = All[name];
        for (var t = 0; t < schedule.Timesteps; t += Math.Max(1, schedule.Timesteps / 7))
        {
            var level = schedule.LevelAt(t);
            if (double.IsFinite(level.Ratio))
            {
                Near(level, schedule.LevelWithRatio(level.Ratio), 1e-9);
            }
        }

        var between = schedule.LevelAt((schedule.Timesteps / 2) - 0.5);
        Near(between, schedule.LevelWithRatio(between.Ratio), 1e-9);
        foreach (var ratio in new[] { 1e-6, 1e7 })
        {
            Assert.Equal(ratio, schedule.LevelWithRatio(ratio).Ratio, 1e-6 * ratio);
        }

        foreach (var wrong in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => schedule.LevelWithRatio(wrong));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void LevelAt_TheProcess_KeepsItsKind(string name)
    {
        var schedule = All[name];
        foreach (var level in Enumerable.Range(0, schedule.Timesteps).Select(schedule.LevelAt))
        {
            var kept = schedule switch
            {
                SigmaNoiseSchedule => level.Alpha,
                RectifiedFlowNoiseSchedule => level.Alpha + level.Sigma,
                _ => level.Scale,
            };
            Assert.Equal(1, kept, 1e-12);
        }
    }

    [Fact]
    public void Formulas_OfThePapers_AreMet()
    {
        var laplace = new LaplaceNoiseSchedule(4, mean: 1, scale: 0.5);
        Assert.Equal([1 - (0.5 * Math.Log(0.25)), 1 - (0.5 * Math.Log(0.75)), 1 + (0.5 * Math.Log(0.75)), 1 + (0.5 * Math.Log(0.25))], Enumerable.Range(0, 4).Select(t => 2 * laplace.LevelAt(t).HalfLogSnr), Equal);

        var scaled = new ScaledLinearNoiseSchedule(3, 0.01, 0.09);
        Assert.Equal([0.01, 0.04, 0.09], scaled.Betas, Equal);

        var sde = new VpSdeNoiseSchedule(2, 0.1, 20);
        Assert.Equal([Math.Exp((-0.125 * 19.9) - 0.05), Math.Exp((-0.5 * 19.9) - 0.1)], sde.AlphaBars, Equal);

        var uncapped = CosineNoiseSchedule.Uncapped(2, 0);
        Assert.Equal([0.5, 0], uncapped.AlphaBars, Equal);

        var flow = new RectifiedFlowNoiseSchedule(4, shift: 3);
        Assert.Equal([3 * 0.25 / 1.5, 3 * 0.5 / 2, 3 * 0.75 / 2.5, 1], Enumerable.Range(0, 4).Select(t => flow.LevelAt(t).Sigma), Equal);
        Assert.Equal(2, flow.LevelAt(0).Timestep, 1e-12); // σ·T

        var sigmas = SigmaNoiseSchedule.PolyExponential(3, 1, Math.Exp(4), 2);
        Assert.Equal([1, Math.Exp(1), Math.Exp(4)], sigmas.Sigmas, Equal);
        Assert.Equal(0.25, sigmas.LevelAt(1).Timestep, 1e-12); // ln(σ)/4

        var betas = BetaNoiseSchedule.FromAlphaBars([0.9, 0.45, 0]);
        Assert.Equal([0.1, 0.5, 1], betas.Betas, Equal);
    }

    [Fact]
    public void Schedules_WrongArguments_SayWhichAndWhatIsNeeded()
    {
        Assert.Equal("mean", Assert.Throws<ArgumentOutOfRangeException>(() => new LaplaceNoiseSchedule(10, double.NaN)).ParamName);
        Assert.Equal("scale", Assert.Throws<ArgumentOutOfRangeException>(() => new LaplaceNoiseSchedule(10, 0, 0)).ParamName);
        Assert.Equal("betaMax", Assert.Throws<ArgumentOutOfRangeException>(() => new VpSdeNoiseSchedule(10, 1, 0.5)).ParamName);
        Assert.Equal("temperature", Assert.Throws<ArgumentOutOfRangeException>(() => new SigmoidNoiseSchedule(10, temperature: 0)).ParamName);
        Assert.Contains("above the start, 3", Assert.Throws<ArgumentOutOfRangeException>(() => new SigmoidNoiseSchedule(10, 3, 3)).Message, StringComparison.Ordinal);
        Assert.Equal("betaEnd", Assert.Throws<ArgumentOutOfRangeException>(() => new ScaledLinearNoiseSchedule(10, 0.1, 1.5)).ParamName);
        Assert.Equal("offset", Assert.Throws<ArgumentOutOfRangeException>(() => new CosineNoiseSchedule(10, -1)).ParamName);
        Assert.Equal("maxBeta", Assert.Throws<ArgumentOutOfRangeException>(() => new CosineNoiseSchedule(10, maxBeta: 2)).ParamName);
        Assert.Equal("shift", Assert.Throws<ArgumentOutOfRangeException>(() => new RectifiedFlowNoiseSchedule(10, 0)).ParamName);
        Assert.Equal("sigmaMax", Assert.Throws<ArgumentOutOfRangeException>(() => SigmaNoiseSchedule.Karras(10, 2, 1)).ParamName);
        Assert.Contains("sigmas[1] is 1 after 2", Assert.Throws<ArgumentException>(() => new SigmaNoiseSchedule([2, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("alphaBars[1] is 0.9 after 0.5", Assert.Throws<ArgumentException>(() => BetaNoiseSchedule.FromAlphaBars([0.5, 0.9])).Message, StringComparison.Ordinal);
        Assert.Contains("has 1", Assert.Throws<ArgumentException>(() => new ZeroTerminalSnrSchedule(new LinearNoiseSchedule(1, 0.1, 0.2))).Message, StringComparison.Ordinal);
    }

    private static bool Equal(double expected, double actual) => Math.Abs(expected - actual) <= 1e-12 * Math.Max(1, Math.Abs(expected));

    private static void Near(NoiseLevel expected, NoiseLevel actual, double tolerance)
    {
        Assert.Equal(expected.Alpha, actual.Alpha, tolerance);
        Assert.Equal(expected.Sigma, actual.Sigma, tolerance * Math.Max(1, expected.Sigma));
        Assert.Equal(expected.Timestep, actual.Timestep, tolerance * 1000);
    }
}
