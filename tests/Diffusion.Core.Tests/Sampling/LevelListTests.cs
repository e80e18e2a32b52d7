using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Levels that the caller gives: fractional timesteps, and a step between equal levels.</summary>
public sealed class LevelListTests
{
    [Fact]
    public void Over_FractionalTimesteps_AreTakenAsTheyAre()
    {
        using var scope = NewDisposeScope();
        double[] grid = [998.25, 700.5, 33, 0.125];
        var schedule = new LinearNoiseSchedule();
        var spacing = StepSpacing.Over(grid);
        var levels = spacing.Levels(schedule, 17); // the list counts, not the number of steps

        Assert.Equal([.. grid, -1], levels.Select(level => level.Timestep));
        Assert.Equal(grid.Select(t => ((INoiseSchedule)schedule).LevelAt(t)), levels.SkipLast(1));
        Assert.Equal("timesteps", spacing.Name);
        var asked = new List<double>();
        using var network = new AskedNetwork(asked);
        using var drawn = new DdimSampler(null, new() { Spacing = spacing }).Sample(new NetworkDenoiser(network, schedule, Parameterization.Epsilon), [1, 1, 2, 2], seed: 1);
        Assert.Equal(grid, asked);
    }

    [Fact]
    public void Over_WholeTimestepsAsFractions_AreTheSameLevels()
    {
        var schedule = new CosineNoiseSchedule();
        Assert.Equal(StepSpacing.Over([900, 30, 0]).Levels(schedule, null), StepSpacing.Over([900.0, 30, 0]).Levels(schedule, null));
    }

    [Fact]
    public void Over_WrongTimesteps_AreNamed()
    {
        Says(() => StepSpacing.Over(Array.Empty<double>()), "at least one timestep");
        Says(() => StepSpacing.Over([3.5, 3.5]), "timesteps[1] is 3.5 after 3.5");
        Says(() => StepSpacing.Over([3.5, -0.5]), "timesteps[1] is -0.5 after 3.5");
        Says(() => StepSpacing.Over([double.NaN]), "timesteps[0] is NaN");
        Says(() => StepSpacing.Over([3.5, double.NaN]), "timesteps[1] is NaN");
        Says(() => StepSpacing.Over([2, 3]), "timesteps[1] is 3 after 2");
        Assert.Equal("timestep", Assert.Throws<ArgumentOutOfRangeException>(() => StepSpacing.Over([999.5]).Levels(new LinearNoiseSchedule(), null)).ParamName);

        static void Says(Func<StepSpacing> make, string part) => Assert.Contains(part, Assert.Throws<ArgumentException>("timesteps", make).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Samplers() => [.. Sampler.Names.Where(name => name is not ("ddpm" or "lcm" or "unipc" or "edm"))];

    /// <summary>Four are left out: the posterior has no such step, LCM draws anew, UniPC corrects the step before and EDM churns.</summary>
    [Theory]
    [MemberData(nameof(Samplers))]
    public void Sample_LastStepBetweenEqualLevels_LeavesTheImage(string sampler)
    {
        using var scope = NewDisposeScope();
        foreach (var name in NoiseSchedule.Names)
        {
            var schedule = NoiseSchedule.Create(name);
            NoiseLevel[] levels = [.. new[] { 9.0, 3, 1, 0.4 }.Select(schedule.LevelWithRatio)];
            Tensor? before = null;
            using var end = Sampler.Create(sampler, null, StepSpacing.Through([.. levels, levels[^1]])).Sample(new GaussianDenoiser(schedule), [2, 1, 2, 2], seed: 5, onStep: step =>
                before = step.Index == 2 ? step.Noisy.to(ScalarType.Float32, copy: true) : before);
            TensorAssert.Close(before!, end, 1e-6, 1e-6, $"{sampler}, {name}");
        }
    }

    [Theory]
    [InlineData(UniPcSolverType.Bh1)]
    [InlineData(UniPcSolverType.Bh2)]
    public void UniPc_LastStepBetweenEqualLevels_IsFinite(UniPcSolverType type)
    {
        var schedule = new LinearNoiseSchedule();
        NoiseLevel[] levels = [.. new[] { 9.0, 3, 1, 0.4 }.Select(((INoiseSchedule)schedule).LevelWithRatio)];
        foreach (var order in new[] { 1, 2, 3 })
        {
            using var end = new UniPcSampler(null, new() { Spacing = StepSpacing.Through([.. levels, levels[^1]]), SolverType = type, Order = order, LowerOrderFinal = false })
                .Sample(new GaussianDenoiser(schedule), [2, 1, 2, 2], seed: 5);
            Assert.True(end.isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void Euler_AllNoiseReplacedBetweenEqualLevels_IsFreshNoise()
    {
        using var scope = NewDisposeScope();
        var schedule = new LinearNoiseSchedule();
        var level = schedule.LevelAt(500);
        var (image, drawn) = (full([1, 1, 2, 2], 0.25), ones([1, 1, 1, 2, 2]));
        using var noise = new ReplayNoise(drawn);
        using var end = new EulerSampler(null, new() { Spacing = StepSpacing.Through([level, level]), Eta = double.PositiveInfinity })
            .Continue(new FunctionDenoiser(schedule, (_, _) => image.clone()), zeros(1, 1, 2, 2), noise);
        TensorAssert.Close((image * level.Alpha) + level.Sigma, end, 1e-6, 0, "α·x̂₀ + σ·z");
    }

    private sealed class AskedNetwork(List<double> asked) : nn.Module<Tensor, Tensor, Tensor>(nameof(AskedNetwork))
    {
        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            asked.Add(timesteps.to(ScalarType.Float64)[0].item<double>());
            return zeros_like(images);
        }
    }
}
