using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>
/// The order of every deterministic sampler, on data whose exact path is known: (x/α − μ)/√(s² + (σ/α)²) stays constant for N(μ, s²). The error at the end of
/// the path, in double precision, must fall with the power of the number of steps that the sampler declares.
/// </summary>
public sealed class SamplerOrderTests
{
    private const double Mean = 0.3;
    private const double Deviation = 0.5;
    private const double Max = 20;
    private const double Min = 0.05;

    private static readonly string[] Families = ["linear", "scaled-linear", "cosine", "sigmoid", "laplace", "vp-sde", "linear-zero-snr", "karras", "flow"];

    private static readonly Dictionary<string, (double Order, Func<StepSpacing, Sampler> Make)> Samplers = new()
    {
        ["ddim"] = (1, levels => new DdimSampler(null, new() { Spacing = levels })),
        ["euler"] = (1, levels => new EulerSampler(null, new() { Spacing = levels })),
        ["dpm++1"] = (1, levels => new DpmSolverSampler(null, new() { Spacing = levels, Order = 1 })),
        ["heun"] = (2, levels => new HeunSampler(null, new() { Spacing = levels })),
        ["heun, unscaled"] = (2, levels => new HeunSampler(null, new() { Spacing = levels, Unscaled = true })),
        ["dpm2"] = (2, levels => new Dpm2Sampler(null, new() { Spacing = levels })),
        ["dpm2, unscaled"] = (2, levels => new Dpm2Sampler(null, new() { Spacing = levels, Unscaled = true })),
        ["dpm++ in blocks of 2"] = (2, levels => new DpmSolverBlockSampler(null, new() { Spacing = levels, LowerOrderFinal = false })),
        ["dpm++ in blocks of 2, Heun"] = (2, levels => new DpmSolverBlockSampler(null, new() { Spacing = levels, SolverType = DpmSolverType.Heun, LowerOrderFinal = false })),
        ["dpm in blocks of 2"] = (2, levels => new DpmSolverBlockSampler(null, new() { Spacing = levels, PredictX0 = false, LowerOrderFinal = false })),
        ["deis1"] = (1, levels => new DeisSampler(null, new() { Spacing = levels }, 1, lowerOrderFinal: false)),
        ["deis2"] = (2, levels => new DeisSampler(null, new() { Spacing = levels }, 2, lowerOrderFinal: false)),
        ["deis3"] = (3, levels => new DeisSampler(null, new() { Spacing = levels }, 3, lowerOrderFinal: false)),
        ["dpm++2s"] = (2, levels => new DpmSolverSinglestepSampler(null, new() { Spacing = levels })),
        ["dpm++2s, r = 0.7"] = (2, levels => new DpmSolverSinglestepSampler(null, new() { Spacing = levels, Ratio = 0.7 })),
        ["dpm++2m"] = (2, levels => new DpmSolverSampler(null, new() { Spacing = levels, LowerOrderFinal = false })),
        ["dpm++2m, Heun"] = (2, levels => new DpmSolverSampler(null, new() { Spacing = levels, SolverType = DpmSolverType.Heun, LowerOrderFinal = false })),
        ["dpm 2m"] = (2, levels => new DpmSolverSampler(null, new() { Spacing = levels, PredictX0 = false, LowerOrderFinal = false })),
        ["dpm++3m"] = (3, levels => new DpmSolverSampler(null, new() { Spacing = levels, Order = 3, LowerOrderFinal = false })),
        ["dpm 3m"] = (3, levels => new DpmSolverSampler(null, new() { Spacing = levels, Order = 3, PredictX0 = false, LowerOrderFinal = false })),
        ["dpm++3m as published"] = (2, levels => new DpmSolverSampler(null, new() { Spacing = levels, Order = 3, ReferenceThirdOrder = true, LowerOrderFinal = false })),
        ["lms2"] = (2, levels => new LmsSampler(null, new() { Spacing = levels, Order = 2 })),
        ["lms3"] = (3, levels => new LmsSampler(null, new() { Spacing = levels, Order = 3 })),
        ["lms4"] = (4, levels => new LmsSampler(null, new() { Spacing = levels })),
        ["unipc1"] = (2, levels => new UniPcSampler(null, new() { Spacing = levels, Order = 1, LowerOrderFinal = false })),
        ["unipc2"] = (3, levels => new UniPcSampler(null, new() { Spacing = levels, LowerOrderFinal = false })),
        ["unipc2, bh1"] = (3, levels => new UniPcSampler(null, new() { Spacing = levels, SolverType = UniPcSolverType.Bh1, LowerOrderFinal = false })),
        ["unipc2, noise"] = (3, levels => new UniPcSampler(null, new() { Spacing = levels, PredictX0 = false, LowerOrderFinal = false })),
        ["unipc3"] = (4, levels => new UniPcSampler(null, new() { Spacing = levels, Order = 3, LowerOrderFinal = false })),
    };

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var sampler in Samplers.Keys)
        {
            foreach (var family in Families)
            {
                data.Add(sampler, family);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Step_MoreAndMoreSteps_ErrorFallsWithTheDeclaredOrder(string sampler, string family)
    {
        var (order, make) = Samplers[sampler];
        var schedule = NoiseSchedule.Create(family);
        var coarse = Error(make, schedule, 80, order);
        var fine = Error(make, schedule, 160, order);

        var measured = Math.Log2(coarse / fine);

        Assert.True(measured > order - 0.25, $"{sampler} on {family}: order {measured:F2}, declared {order}; errors {coarse:E2} and {fine:E2}.");
    }

    [Theory]
    [InlineData(false, "epsilon", 1.75, 4)]
    [InlineData(true, "epsilon", 1.75, 4)]
    [InlineData(false, "velocity", 0.75, 1.25)] // what diffusers does for networks that predict v: of first order only
    [InlineData(true, "velocity", 0.75, 1.25)]
    public void Pndm_EvenTimesteps_ErrorFallsWithTheOrderOfWhatIsCombined(bool rungeKutta, string combined, double min, double max)
    {
        // Its coefficients are those of equal steps in the timestep: strides of whole timesteps.
        foreach (INoiseSchedule schedule in new INoiseSchedule[] { new LinearNoiseSchedule(2560), new VpSdeNoiseSchedule(2560) })
        {
            double Error(int steps)
            {
                using var scope = NewDisposeScope();
                NoiseLevel[] levels = [.. Enumerable.Range(0, steps + 1).Select(i => schedule.LevelAt(2304 - (i * (2048 / steps))))];
                var start = tensor(new[] { 1.3, -0.4 }).view(1, 2, 1, 1) * levels[0].Scale;
                using var noise = new ReplayNoise(null);
                using var result = new PndmSampler(
                    null, new() { Spacing = StepSpacing.Through(levels), RungeKutta = rungeKutta, Combined = Parameterization.All.Single(each => each.Name == combined) })
                    .Continue(new GaussianDenoiser(schedule, Mean, Deviation), start, noise);
                return (result - Exact(start, levels[0], levels[^1])).abs().max().item<double>();
            }

            var measured = Math.Log2(Error(64) / Error(128));
            Assert.True(measured > min && measured < max, $"order {measured:F2}, not within {min} and {max}");
        }
    }

    private static double Error(Func<StepSpacing, Sampler> make, INoiseSchedule schedule, int steps, double order)
    {
        using var scope = NewDisposeScope();
        NoiseLevel[] levels = [.. Ratios(steps, order).Select(schedule.LevelWithRatio)];
        var start = tensor(new[] { 1.3, -0.4 }).view(1, 2, 1, 1) * levels[0].Scale;
        using var noise = new ReplayNoise(null);
        using var result = make(StepSpacing.Through(levels)).Continue(new GaussianDenoiser(schedule, Mean, Deviation), start, noise);
        return (result - Exact(start, levels[0], levels[^1])).abs().max().item<double>();
    }

    private static Tensor Exact(Tensor noisy, NoiseLevel from, NoiseLevel to)
    {
        var share = Math.Sqrt(((Deviation * Deviation) + (to.Ratio * to.Ratio)) / ((Deviation * Deviation) + (from.Ratio * from.Ratio)));
        return to.Alpha * (Mean + (((noisy / from.Alpha) - Mean) * share));
    }

    /// <summary>
    /// Evenly in ln(σ/α). Multistep samplers begin with low orders: for those the first step is divided into short ones, so short that what they miss is less than
    /// what the order allows.
    /// </summary>
    private static IEnumerable<double> Ratios(int steps, double order)
    {
        var h = Math.Log(Max / Min) / steps;
        double[] start = order > 2 ? [.. Enumerable.Range(0, 40).Select(i => h * Math.Pow(0.75, 40 - i))] : [];
        return new[] { 0.0 }.Concat(start).Concat(Enumerable.Range(1, steps).Select(i => i * h)).Select(t => Max * Math.Exp(-t));
    }
}
