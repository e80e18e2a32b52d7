using System.Text.Json;

namespace Diffusion.Tests;

/// <summary>Schedules against lucidrains/denoising-diffusion-pytorch (tests/golden/README.md).</summary>
public sealed class LucidrainsScheduleTests
{
    [Fact]
    public void LinearAndCosine_OfTheirArguments_EqualTheRecorded()
    {
        using var golden = Golden.Case("lucidrains/schedules");
        foreach (var (prefix, kind, timesteps, options) in Items(golden).Where(item => item.Kind != "sigmoid"))
        {
            TabulatedNoiseSchedule schedule = kind == "linear"
                ? new LinearNoiseSchedule(timesteps)
                : new CosineNoiseSchedule(timesteps, options.TryGetProperty("s", out var offset) ? offset.GetDouble() : 0.008);
            golden.Close($"{prefix}.betas", schedule.Betas);
            golden.Close($"{prefix}.alphas_cumprod", schedule.AlphaBars);
        }
    }

    /// <summary>The peer rounds the sigmoid at both ends to single precision, so its ᾱ is off by up to 4e-8: docs/parity.md.</summary>
    [Fact]
    public void Sigmoid_OfItsArguments_EqualsTheRecordedWithinTheRoundingOfThePeersEnds()
    {
        using var golden = Golden.Case("lucidrains/schedules");
        foreach (var (prefix, _, timesteps, options) in Items(golden).Where(item => item.Kind == "sigmoid"))
        {
            var (start, end, temperature) = Arguments(options);
            golden.Close($"{prefix}.alphas_cumprod", new SigmoidNoiseSchedule(timesteps, start, end, temperature).AlphaBars, atol: 1e-7, rtol: 0);

            // The same formula with the peer's two rounded numbers gives the peer's tables: nothing else differs.
            var rounded = PeerSigmoid.Schedule(timesteps, start, end, temperature);
            var exact = Betas(timesteps, time => AlphaBar(time, start, end, temperature));
            golden.Close($"{prefix}.betas", rounded.Betas);
            golden.Close($"{prefix}.alphas_cumprod", rounded.AlphaBars);
            Assert.True(exact.Zip(golden.Numbers($"{prefix}.betas")).Max(pair => Math.Abs((pair.Second / pair.First) - 1)) > 1e-5, "the peer's betas are the exact ones");
        }
    }

    [Theory]
    [InlineData(1000, -3.0, 3.0, 1.0)]
    [InlineData(200, 0.0, 3.0, 0.3)]
    public void Sigmoid_WithTheHyperbolicTangent_IsTheSame(int timesteps, double start, double end, double temperature)
    {
        var schedule = new SigmoidNoiseSchedule(timesteps, start, end, temperature);
        var betas = Betas(timesteps, time => AlphaBar(time, start, end, temperature));
        for (var t = 0; t < timesteps; t++)
        {
            Assert.Equal(betas[t], schedule.Betas[t], 1e-8 * betas[t]);
        }

        Assert.Equal(0.999, schedule.Betas[^1]);
    }

    [Theory]
    [InlineData("lucidrains/continuous_linear")]
    [InlineData("lucidrains/continuous_cosine")]
    public void LogSnr_OfContinuousTime_EqualsTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        var schedule = name.EndsWith("linear", StringComparison.Ordinal) ? LogSnrNoiseSchedule.Linear() : LogSnrNoiseSchedule.Cosine();
        var times = golden.Numbers("tt");
        var expected = golden.Numbers("log_snr");
        for (var i = 0; i < times.Length; i++)
        {
            var level = schedule.LevelAtTime(times[i]);
            if (times[i] == 1 && name.EndsWith("cosine", StringComparison.Ordinal))
            {
                // cos(π/2) is 0; the recorded −33.9 is its rounding error in single precision, ours that in double precision.
                Assert.InRange(level.Timestep, double.NegativeInfinity, expected[i]);
                continue;
            }

            Assert.Equal(expected[i], level.Timestep, golden.AbsoluteTolerance + (golden.RelativeTolerance * Math.Abs(expected[i])));
            Assert.Equal(level.Timestep, 2 * level.HalfLogSnr, 1e-9);
        }

        using var noisy = ForwardProcess.AddNoise(golden["x0"], golden["noise_q"], [.. golden.Numbers("t").Select(schedule.LevelAtTime)]);
        golden.Close("q_sample", noisy);
        golden.Close("q_log_snr", golden.Numbers("t").Select(time => schedule.LevelAtTime(time).Timestep));
    }

    [Fact]
    public void SimpleDiffusion_AtSeveralTimes_EqualsTheRecorded()
    {
        using var golden = Golden.Case("lucidrains/logsnr_simple_diffusion");
        var sizes = golden.Constructor.GetProperty("args").EnumerateArray().Select(size => size.GetInt32()).ToArray();
        Compare("cosine", LogSnrNoiseSchedule.ShiftedCosine(64, 64));
        Compare("shifted", LogSnrNoiseSchedule.ShiftedCosine(sizes[0], sizes[1]));
        Compare("interpolated", LogSnrNoiseSchedule.InterpolatedCosine(sizes[0], sizes[1], sizes[2]));

        void Compare(string what, LogSnrNoiseSchedule schedule) => golden.Close(what, golden.Numbers("t").Select(time => schedule.LevelAtTime(time).Timestep));
    }

    private static IEnumerable<(string Prefix, string Kind, int Timesteps, JsonElement Options)> Items(GoldenCase golden) =>
        golden.Constructor.GetProperty("items").EnumerateArray().Select((item, i) => ($"{i}.{item[0].GetString()}", item[0].GetString()!, item[1].GetInt32(), item[2]));

    private static (double Start, double End, double Temperature) Arguments(JsonElement options)
    {
        return (Of("start", -3), Of("end", 3), Of("tau", 1));

        double Of(string name, double otherwise) => options.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;
    }

    private static double[] Betas(int timesteps, Func<double, double> alphaBar) =>
        [.. Enumerable.Range(0, timesteps).Select(t => Math.Min(1 - (alphaBar((t + 1.0) / timesteps) / alphaBar((double)t / timesteps)), 0.999))];

    /// <summary>1/(1 + e^(−v)) = (1 + tanh(v/2))/2, so the constants cancel.</summary>
    private static double AlphaBar(double time, double start, double end, double temperature)
    {
        var (first, last) = (Math.Tanh(start / temperature / 2), Math.Tanh(end / temperature / 2));
        return (last - Math.Tanh((start + (time * (end - start))) / temperature / 2)) / (last - first);
    }
}
