using TorchSharp;

namespace Diffusion.Tests;

public sealed class LossWeightingTests
{
    private static readonly LossWeighting[] s_bounded = [LossWeighting.Uniform, LossWeighting.Snr, LossWeighting.MinSnr(), LossWeighting.SoftMinSnr(), LossWeighting.P2()];

    /// <summary>Against lucidrains/denoising-diffusion-pytorch (tests/golden/README.md).</summary>
    [Theory]
    [InlineData("lucidrains/loss_weights_cosine")]
    [InlineData("lucidrains/loss_weights_sigmoid")]
    public void At_SnrAndMinSnr_EqualsTheRecordedForEveryPrediction(string name)
    {
        using var golden = Golden.Case(name);
        var timesteps = golden.Constructor.GetProperty("timesteps").GetInt32();
        TabulatedNoiseSchedule schedule = golden.Constructor.GetProperty("beta_schedule").GetString() == "cosine" ? new CosineNoiseSchedule(timesteps) : PeerSigmoid.Schedule(timesteps);
        var gammas = golden.Constructor.GetProperty("min_snr_gamma").EnumerateArray().Select(gamma => gamma.GetDouble()).ToList();
        foreach (var (kind, parameterization) in new[] { ("pred_noise", Parameterization.Epsilon), ("pred_x0", Parameterization.Image), ("pred_v", Parameterization.Velocity) })
        {
            Compare("plain", LossWeighting.Snr);
            gammas.ForEach(gamma => Compare($"gamma{gamma}", LossWeighting.MinSnr(gamma)));

            void Compare(string what, LossWeighting weighting) =>
                golden.Close($"loss_weight.{kind}.{what}", Enumerable.Range(0, timesteps).Select(t => weighting.At(schedule.LevelAt(t), parameterization)));
        }
    }

    /// <summary>Against crowsonkb/k-diffusion (tests/golden/README.md).</summary>
    [Fact]
    public void At_KarrasParameterization_EqualsTheRecordedWeightsAndLosses()
    {
        using var scope = torch.NewDisposeScope();
        using var golden = Golden.Case("k_diffusion/denoiser_karras");
        var karras = Parameterization.Karras(golden.Constructor.GetProperty("sigma_data").GetDouble());
        var levels = golden.Numbers("sigma").Select(sigma => new NoiseLevel(1, sigma, sigma)).ToArray();
        golden.Close("c_skip", levels.Select(level => karras.At(level).Skip));
        golden.Close("c_out", levels.Select(level => karras.At(level).Out));
        golden.Close("c_in", levels.Select(level => karras.At(level).In));

        var noisy = ForwardProcess.AddNoise(golden["x"], golden["noise"], levels);
        var output = (karras.ToInput(noisy, levels) * 0.4) + (golden["sigma"].sin() * 0.1).view(-1, 1, 1, 1);
        golden.Close("forward", karras.ToImage(noisy, output, levels));
        var losses = LossFunction.Mse.PerSample(output, karras.Target(golden["x"], golden["noise"], levels)).Numbers();
        foreach (var (name, weighting) in new[] { ("karras", LossWeighting.Edm()), ("karras", LossWeighting.Uniform), ("soft-min-snr", LossWeighting.SoftMinSnr()), ("snr", LossWeighting.Snr) })
        {
            golden.Close($"weight.{name}", levels.Select(level => weighting.At(level, karras)));
            golden.Close($"loss.{name}", levels.Select((level, i) => weighting.At(level, karras) * losses[i]));
        }
    }

    [Fact]
    public void At_EveryParameterization_WeighsTheImageTheSame()
    {
        var schedule = new LinearNoiseSchedule();
        foreach (var weighting in s_bounded.Skip(1).Append(LossWeighting.Edm(0.7)))
        {
            foreach (var level in new[] { 0, 100, 999 }.Select(schedule.LevelAt).Append(new NoiseLevel(1, 3, 0)).Append(new NoiseLevel(0.3, 0.7, 0)))
            {
                var onImage = weighting.At(level, Parameterization.Image);
                foreach (var parameterization in Parameterization.All)
                {
                    var expected = onImage * Math.Pow(parameterization.At(level).Out, 2);
                    Assert.Equal(expected, weighting.At(level, parameterization), 1e-9 * expected);
                }
            }
        }
    }

    [Fact]
    public void At_ZeroTerminalSignal_IsTheLimit()
    {
        var level = new ZeroTerminalSnrSchedule(new LinearNoiseSchedule()).LevelAt(999);
        Assert.Equal(0, level.Alpha);
        Assert.All(s_bounded, weighting => Assert.All(Parameterization.All, parameterization => Assert.True(double.IsFinite(weighting.At(level, parameterization)))));
        Assert.Equal(1, LossWeighting.MinSnr().At(level, Parameterization.Epsilon), 1e-12);
        Assert.Equal(0, LossWeighting.MinSnr().At(level, Parameterization.Velocity), 1e-12);
        Assert.Equal(1, LossWeighting.SoftMinSnr().At(level, Parameterization.Epsilon), 1e-12);
        Assert.Equal(0.25, LossWeighting.P2(4).At(level, Parameterization.Epsilon), 1e-12);
        Assert.Equal(4, LossWeighting.Edm().At(level, Parameterization.Velocity), 1e-12);
    }

    [Fact]
    public void At_NoNoise_IsTheLimit()
    {
        var level = NoiseLevel.Clean;
        Assert.Equal(0, LossWeighting.MinSnr().At(level, Parameterization.Epsilon), 1e-12);
        Assert.Equal(5, LossWeighting.MinSnr().At(level, Parameterization.Image), 1e-12);
        Assert.Equal(4, LossWeighting.SoftMinSnr().At(level, Parameterization.Image), 1e-12);
        Assert.Equal(1, LossWeighting.Snr.At(level, Parameterization.Velocity), 1e-12);
        Assert.Equal(0, LossWeighting.P2().At(level, Parameterization.Epsilon), 1e-12);
    }

    [Fact]
    public void P2_OnNoise_IsTheFormulaOfThePaper()
    {
        var level = new NoiseLevel(0.8, 0.6, 0);
        Assert.Equal(Math.Pow(1.5 + level.SignalToNoise, -0.5), LossWeighting.P2(1.5, 0.5).At(level, Parameterization.Epsilon), 1e-12);
        Assert.Equal(1, LossWeighting.P2(1, 0).At(level, Parameterization.Epsilon), 1e-12);
    }

    [Fact]
    public void LossWeighting_WrongNumbers_SaysWhichAndWhatIsNeeded()
    {
        Assert.Contains("'gamma' must be a finite number above 0", Assert.Throws<ArgumentOutOfRangeException>(() => LossWeighting.MinSnr(0)).Message, StringComparison.Ordinal);
        Assert.Equal("gamma", Assert.Throws<ArgumentOutOfRangeException>(() => LossWeighting.SoftMinSnr(double.NaN)).ParamName);
        Assert.Equal("offset", Assert.Throws<ArgumentOutOfRangeException>(() => LossWeighting.P2(-1)).ParamName);
        Assert.Equal("exponent", Assert.Throws<ArgumentOutOfRangeException>(() => LossWeighting.P2(1, -1)).ParamName);
        Assert.Equal("sigmaData", Assert.Throws<ArgumentOutOfRangeException>(() => LossWeighting.Edm(0)).ParamName);
    }
}
