using System.Text.Json;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Recorded runs of the samplers of crowsonkb/k-diffusion (commit 4601bf0) with analytic denoisers, α = 1.</summary>
public sealed class KDiffusionTests
{
    private static readonly Dictionary<string, Func<JsonElement, StepSpacing, Sampler>> Samplers = new(StringComparer.Ordinal)
    {
        ["sample_euler"] = (arguments, levels) => new EulerSampler(null, new() { Spacing = levels, Churn = ChurnOf(arguments) }),
        ["sample_euler_ancestral"] = (arguments, levels) => new EulerSampler(null, Ancestral(arguments, levels)),
        ["sample_heun"] = (arguments, levels) => new HeunSampler(null, new() { Spacing = levels, Churn = ChurnOf(arguments) }),
        ["sample_dpm_2"] = (arguments, levels) => new Dpm2Sampler(null, new() { Spacing = levels, Churn = ChurnOf(arguments) }),
        ["sample_dpm_2_ancestral"] = (arguments, levels) => new Dpm2Sampler(null, Ancestral(arguments, levels)),
        ["sample_lms"] = (_, levels) => new LmsSampler(null, new() { Spacing = levels }),
        ["sample_dpmpp_2m"] = (_, levels) => new DpmSolverSampler(null, new() { Spacing = levels, LowerOrderFinal = false }),
        ["sample_dpmpp_2m_sde"] = (arguments, levels) => new DpmSolverSampler(null, Sde(arguments, levels, 2)),
        ["sample_dpmpp_3m_sde"] = (arguments, levels) => new DpmSolverSampler(null, Sde(arguments, levels, 3) with { SolverType = DpmSolverType.Heun, ReferenceThirdOrder = true }),
        ["sample_dpmpp_2s_ancestral"] = (arguments, levels) => new DpmSolverSinglestepSampler(null, new() { Spacing = levels, Eta = Number(arguments, "eta", 1) }),
        ["sample_dpmpp_sde"] = (arguments, levels) =>
            new DpmSolverSinglestepSampler(null, new() { Spacing = levels, Eta = Number(arguments, "eta", 1), Ratio = Number(arguments, "r", 0.5), NoiseInside = true }),
    };

    public static TheoryData<string> Runs() => [.. Golden.Cases("k_diffusion").Where(name =>
    {
        using var golden = Golden.Case(name);
        return golden.Tensors.ContainsKey("callback_x");
    })];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Continue_RecordedRun_MakesTheSameImages(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        var function = golden.Json.GetProperty("peer").GetProperty("class").GetString()!.Split('.')[^1];
        var sigmas = golden["sigmas"].to(ScalarType.Float64).data<double>().ToArray();
        var schedule = new SigmaNoiseSchedule(sigmas.Where(sigma => sigma > 0).Reverse());
        var levels = StepSpacing.Through(sigmas.Select(sigma => sigma > 0 ? schedule.LevelWithRatio(sigma) : NoiseLevel.Clean));
        var spread = golden.Constructor.GetProperty("s").GetDouble();
        var twoPoints = golden.Constructor.GetProperty("denoiser").GetString()!.Contains("tanh", StringComparison.Ordinal);
        var step = 0;
        var seen = -1;
        using var noise = new ReplayNoise(golden.Tensors.ContainsKey("noise") ? golden["noise"] : null);
        var callbacks = golden["callback_x"];
        var denoiser = new FunctionDenoiser(schedule, (noisy, level) =>
        {
            if (seen != step)
            {
                seen = step;
                TensorAssert.Close(callbacks[step], noisy, golden.AbsoluteTolerance, golden.RelativeTolerance, $"{name}: step {step}");
            }

            return twoPoints
                ? (noisy * (spread / (level.Sigma * level.Sigma))).tanh() * spread
                : noisy * (spread * spread / ((spread * spread) + (level.Sigma * level.Sigma)));
        });
        var drawsEachStep = golden.Tensors.ContainsKey("noise") && !golden.Tensors.ContainsKey("noise_sigmas");

        using var result = Samplers[function](golden.Constructor, levels).Continue(denoiser, golden["x_init"], noise, onStep: _ =>
        {
            step++;
            noise.Used = drawsEachStep ? step : noise.Used; // the peer draws for the churn of every step, needed or not
        });

        TensorAssert.Close(golden["out"], result, golden.AbsoluteTolerance, golden.RelativeTolerance, name);
        Assert.Equal(sigmas.Length - 1, step);
        Assert.Equal(golden["out"].dtype, result.dtype);
        if (golden.Tensors.ContainsKey("noise_sigmas"))
        {
            Assert.Equal(golden["noise"].shape[0], noise.Used);
        }
    }

    private static double Number(JsonElement arguments, string name, double otherwise) => arguments.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;

    private static Churn ChurnOf(JsonElement arguments) => new(
        Number(arguments, "s_churn", 0), Number(arguments, "s_tmin", 0), Number(arguments, "s_tmax", double.PositiveInfinity), Number(arguments, "s_noise", 1));

    private static EulerOptions Ancestral(JsonElement arguments, StepSpacing levels) =>
        new() { Spacing = levels, Eta = Number(arguments, "eta", 1), NoiseScale = Number(arguments, "s_noise", 1) };

    private static DpmSolverOptions Sde(JsonElement arguments, StepSpacing levels, int order) => new()
    {
        Spacing = levels,
        Order = order,
        Eta = Number(arguments, "eta", 1),
        SolverType = arguments.TryGetProperty("solver_type", out var type) && type.GetString() == "heun" ? DpmSolverType.Heun : DpmSolverType.Midpoint,
        LowerOrderFinal = false,
    };
}
