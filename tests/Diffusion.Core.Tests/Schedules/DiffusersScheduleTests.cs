using System.Text.Json;

namespace Diffusion.Tests;

/// <summary>Schedules against huggingface/diffusers, which computes its tables in single precision (tests/golden/README.md).</summary>
public sealed class DiffusersScheduleTests
{
    [Fact]
    public void Tables_OfEveryConfiguration_EqualTheRecorded()
    {
        using var golden = Golden.Case("diffusers_schedulers/ddpm_beta_tables");
        var compared = 0;
        foreach (var entry in golden.Constructor.EnumerateObject())
        {
            var schedule = Schedule(entry.Value);
            golden.Close($"{entry.Name}.alphas_cumprod", schedule.AlphaBars);
            if (schedule is not ZeroTerminalSnrSchedule)
            {
                golden.Close($"{entry.Name}.betas", schedule.Betas);
            }

            compared++;
        }

        Assert.Equal(8, compared);
    }

    /// <summary>
    /// The peer takes the difference of roots and the ratio of neighbours in single precision, so its rescaled βs are good to a few roundings
    /// of √ᾱ/(√ᾱ − √ᾱ_T) only: docs/parity.md.
    /// </summary>
    [Theory]
    [InlineData("linear_zsnr")]
    [InlineData("scaled_linear_zsnr")]
    public void ZeroTerminalSnr_Betas_AreWithinTheSinglePrecisionRoundingOfThePeer(string name)
    {
        const double Rounding = 6e-8;
        using var golden = Golden.Case("diffusers_schedulers/ddpm_beta_tables");
        var schedule = Schedule(golden.Constructor.GetProperty(name));
        TabulatedNoiseSchedule before = name == "linear_zsnr" ? new LinearNoiseSchedule(1000, 1e-4, 0.02) : new ScaledLinearNoiseSchedule();
        var roots = before.AlphaBars.Select(Math.Sqrt).ToArray();
        var recorded = golden.Numbers($"{name}.betas");
        for (var t = 0; t < roots.Length - 1; t++)
        {
            Assert.Equal(recorded[t], schedule.Betas[t], 8 * Rounding * roots[t] / (roots[t] - roots[^1]));
        }

        Assert.Equal(1, schedule.Betas[^1]);
        Assert.Equal(1, recorded[^1]);
        Assert.Equal(before.AlphaBars[0], schedule.AlphaBars[0], 1e-15);
    }

    private static TabulatedNoiseSchedule Schedule(JsonElement options)
    {
        var timesteps = options.TryGetProperty("num_train_timesteps", out var count) ? count.GetInt32() : 1000;
        var (first, last) = (Number("beta_start", 1e-4), Number("beta_end", 0.02));
        TabulatedNoiseSchedule schedule = options.TryGetProperty("trained_betas", out var betas)
            ? new BetaNoiseSchedule(betas.EnumerateArray().Select(beta => beta.GetDouble()))
            : (options.TryGetProperty("beta_schedule", out var kind) ? kind.GetString() : "linear") switch
            {
                "linear" => new LinearNoiseSchedule(timesteps, first, last),
                "scaled_linear" => new ScaledLinearNoiseSchedule(timesteps, first, last),
                "squaredcos_cap_v2" => new CosineNoiseSchedule(timesteps),
                "sigmoid" => SigmoidNoiseSchedule.OfBetas(timesteps, first, last),
                var other => throw new InvalidDataException($"Unknown schedule '{other}'."),
            };
        return options.TryGetProperty("rescale_betas_zero_snr", out var zero) && zero.GetBoolean() ? new ZeroTerminalSnrSchedule(schedule) : schedule;

        double Number(string name, double otherwise) => options.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;
    }
}
