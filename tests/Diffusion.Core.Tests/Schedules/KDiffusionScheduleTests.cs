namespace Diffusion.Tests;

/// <summary>Schedules by σ against crowsonkb/k-diffusion (tests/golden/README.md).</summary>
public sealed class KDiffusionScheduleTests
{
    [Fact]
    public void Sigmas_OfEveryRamp_EqualTheRecorded()
    {
        using var golden = Golden.Case("k_diffusion/sigmas");
        var items = golden.Constructor.GetProperty("items").EnumerateArray().ToList();
        for (var i = 0; i < items.Count; i++)
        {
            var (kind, options) = (items[i][0].GetString()!, items[i][1]);
            if (kind == "vp")
            {
                continue;
            }

            var count = options.GetProperty("n").GetInt32();
            var sigmas = kind switch
            {
                "karras" => SigmaNoiseSchedule.Karras(count, Number("sigma_min"), Number("sigma_max"), Number("rho", 7)).Sigmas,
                "exponential" => SigmaNoiseSchedule.Exponential(count, Number("sigma_min"), Number("sigma_max")).Sigmas,
                "polyexponential" => SigmaNoiseSchedule.PolyExponential(count, Number("sigma_min"), Number("sigma_max"), Number("rho", 1)).Sigmas,
                _ => throw new InvalidDataException($"Unknown ramp '{kind}'."),
            };
            golden.Close($"{i}.{kind}", [.. sigmas.Reverse(), 0]); // recorded from the noisiest down, with a last 0

            double Number(string name, double? otherwise = null) => options.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise!.Value;
        }
    }

    [Fact]
    public void Interpolation_OfADiscreteSchedule_EqualsTheRecorded()
    {
        using var golden = Golden.Case("k_diffusion/discrete_schedule");
        INoiseSchedule schedule = new LinearNoiseSchedule(1000, 1e-4, 0.02);
        golden.Close("alphas_cumprod", ((LinearNoiseSchedule)schedule).AlphaBars);
        golden.Close("sigmas", Enumerable.Range(0, 1000).Select(t => schedule.LevelAt(t).Ratio));
        golden.Close("t_of_sigma", golden.Numbers("sigma").Select(sigma => schedule.LevelWithRatio(sigma).Timestep));
        golden.Close("sigma_of_t", golden.Numbers("t").Select(t => schedule.LevelAt(t).Ratio));
    }

    /// <summary>
    /// √(e^x − 1) in single precision: where x is small the peer is off by the rounding of e^x, 1.2e-7 in σ² (docs/parity.md). Its times run from u = 1 to
    /// 1/1000 in even steps, which for 10 levels is every 111th of 1000 timesteps.
    /// </summary>
    [Fact]
    public void VpSde_OfEveryHundredAndEleventhTimestep_EqualsTheRecorded()
    {
        using var golden = Golden.Case("k_diffusion/sigmas");
        var recorded = golden.Numbers("5.vp");
        var schedule = new VpSdeNoiseSchedule();
        for (var i = 0; i < 10; i++)
        {
            var sigma = schedule.LevelAt(999 - (111 * i)).Ratio;
            var rounding = 1.2e-7 / (2 * sigma);
            Assert.Equal(recorded[i], sigma, golden.AbsoluteTolerance + (golden.RelativeTolerance * sigma) + rounding);
        }
    }
}
