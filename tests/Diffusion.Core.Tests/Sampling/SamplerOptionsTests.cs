using TorchSharp;
namespace Diffusion.Tests;

public sealed class SamplerOptionsTests
{
    [Fact]
    public void Levels_OfOneAlone_IsRefused()
    {
        var sampler = new DdimSampler(1, new() { Spacing = StepSpacing.Leading.EndingAtSigmaMin() });
        var message = Assert.Throws<ArgumentException>(() => sampler.Levels(NoiseSchedule.Linear())).Message;
        Assert.All(["'leading' has 1 level(s) for 1 step(s)", "1000 timesteps"], part => Assert.Contains(part, message, StringComparison.Ordinal));
        using var image = torch.zeros(1, 1, 2, 2);
        Assert.Throws<ArgumentException>(() => sampler.Sample(new FixedDenoiser(image), [1, 1, 2, 2], seed: 0).Dispose());
    }

    [Fact]
    public void Levels_OfAConsistencyModelInAShortSchedule_SaysWhatTheDistillationNeeds()
    {
        var message = Assert.Throws<ArgumentOutOfRangeException>(() => new LcmSampler(4).Levels(NoiseSchedule.Cosine(40))).Message;
        Assert.All(["takes 50 timesteps, and the schedule has 40", "another spacing"], part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Fact]
    public void Constructor_StepsAlone_UsesTheOwnSpacing()
    {
        Sampler[] samplers =
        [
            new DdpmSampler(3), new DdimSampler(3), new DdimInverter(3), new EulerSampler(3), new HeunSampler(3), new Dpm2Sampler(3), new LmsSampler(3), new PndmSampler(3),
            new DpmSolverSampler(3), new DpmSolverSinglestepSampler(3), new UniPcSampler(3),
        ];
        Assert.All(samplers, sampler => Assert.Same(StepSpacing.Trailing, sampler.Spacing));
        Assert.Equal("distilled", new LcmSampler().Spacing.Name);
        Assert.Equal(5, new LcmSampler().Levels(new ScaledLinearNoiseSchedule()).Count);
        Assert.Equal("karras", new HeunSampler(3, HeunOptions.Edm).Spacing.Name);
    }

    [Fact]
    public void Constructor_Spacing_IsUsed()
    {
        Sampler[] samplers =
        [
            new DdpmSampler(3, new() { Spacing = StepSpacing.LogSnr }), new DdimSampler(3, new() { Spacing = StepSpacing.LogSnr }), new DdimInverter(3, new() { Spacing = StepSpacing.LogSnr }),
            new EulerSampler(3, new() { Spacing = StepSpacing.LogSnr }), new HeunSampler(3, new() { Spacing = StepSpacing.LogSnr }), new Dpm2Sampler(3, new() { Spacing = StepSpacing.LogSnr }),
            new LmsSampler(3, new() { Spacing = StepSpacing.LogSnr }), new PndmSampler(3, new() { Spacing = StepSpacing.LogSnr }), new DpmSolverSampler(3, new() { Spacing = StepSpacing.LogSnr }),
            new DpmSolverSinglestepSampler(3, new() { Spacing = StepSpacing.LogSnr }), new UniPcSampler(3, new() { Spacing = StepSpacing.LogSnr }), new LcmSampler(3, new() { Spacing = StepSpacing.LogSnr }),
        ];
        Assert.All(samplers, sampler => Assert.Same(StepSpacing.LogSnr, sampler.Spacing));
    }

    [Fact]
    public void Constructor_WrongOptions_AreAllNamed()
    {
        Says(() => new DdimSampler(5, new() { Eta = -1 }), "DdimOptions has 1 mistake(s)", "Eta: must be at least 0; it is -1.");
        Says(() => new DdpmSampler(5, new() { Variance = (ReverseVariance)9 }), "Variance: must be one of FixedSmall, ", "it is 9.");
        Says(
            () => new EulerSampler(5, new() { Eta = double.NaN, NoiseScale = -2, Churn = new Churn(-1, 3, 2, double.PositiveInfinity) }),
            "5 mistake(s)", "Eta: must be at least 0; it is NaN.", "NoiseScale: must be at least 0; it is -2.", "Churn.Amount: must be at least 0; it is -1.",
            "Churn.SigmaMax: must be at least SigmaMin, 3; it is 2.", "Churn.NoiseScale: must be at least 0; it is");
        Says(() => new Dpm2Sampler(5, new() { Churn = null! }), "Churn: must be a churn, Churn.None for none; it is null.");
        Says(() => new HeunSampler(5, new() { Churn = new Churn(double.NaN, -1) }), "2 mistake(s)", "Churn.Amount: must be at least 0; it is NaN.", "Churn.SigmaMin: must be at least 0; it is -1.");
        Says(() => new LmsSampler(5, new() { Order = 5 }), "Order: must be in [1, 4]; it is 5.");
        Says(() => new PndmSampler(5, new() { Combined = null! }), "Combined: must be a parameterization; it is null.");
        Says(() => new LcmSampler(4, new() { TimestepScaling = 0, SigmaData = double.NaN }), "TimestepScaling: must be finite and above 0; it is 0.", "SigmaData: must be finite and above 0; it is NaN.");
        Says(
            () => new DpmSolverSampler(5, new() { Order = 4, Eta = 0.5, PredictX0 = false, SolverType = (DpmSolverType)3, NoiseScale = -1 }),
            "DpmSolverOptions has 4 mistake(s)", "Order: must be in [1, 3]; it is 4.", "PredictX0: must be true where Eta is above 0; it is false with Eta 0.5.",
            "SolverType: must be one of Midpoint, Heun; it is 3.", "NoiseScale: must be at least 0; it is -1.");
        Says(() => new DpmSolverSampler(5, new() { Eta = double.PositiveInfinity }), "Eta: must be at least 0; it is");
        Says(
            () => new DpmSolverSinglestepSampler(5, new() { Eta = -0.5, Ratio = 0, NoiseScale = double.NaN }),
            "3 mistake(s)", "Eta: must be at least 0; it is -0.5.", "Ratio: must be in (0, 1]; it is 0.", "NoiseScale: must be at least 0; it is NaN.");
        Says(
            () => new UniPcSampler(5, new() { Order = 0, SolverType = (UniPcSolverType)2, DisableCorrector = [0, -1] }),
            "UniPcOptions has 3 mistake(s)", "Order: must be in [1, 3]; it is 0.", "SolverType: must be one of Bh1, Bh2; it is 2.", "DisableCorrector[1]: must be at least 0; it is -1.");
        Says(() => new UniPcSampler(5, new() { DisableCorrector = null! }), "DisableCorrector: must be a list of step indices; it is null.");
    }

    [Fact]
    public void Constructor_OptionsOfAnotherSampler_AreAnError() =>
        Says(() => new DdimInverter(5, new DdimOptions { Eta = 1 }), "DdimInverter takes SamplerOptions; DdimOptions has options that it does not use.");

    [Fact]
    public void Constructor_NoSteps_IsOutOfRange() =>
        Assert.Equal("steps", Assert.Throws<ArgumentOutOfRangeException>(() => new EulerSampler(0)).ParamName);

    private static void Says(Func<Sampler> make, params string[] parts)
    {
        var error = Assert.Throws<ArgumentException>("options", make);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
