using System.Globalization;
using System.Text.Json;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Recorded grids and conversions of crowsonkb/k-diffusion (commit 4601bf0) and openai/improved-diffusion (commit 1bc7bbb).</summary>
public sealed class RecordedSpacingTests
{
    [Fact]
    public void Levels_SigmaRamps_AreTheRecordedOnes()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("k_diffusion/sigmas");
        var items = golden.Constructor.GetProperty("items");
        for (var i = 0; i < items.GetArrayLength(); i++)
        {
            var (kind, arguments) = (items[i][0].GetString(), items[i][1]);
            var count = arguments.GetProperty("n").GetInt32();
            var schedule = SigmaNoiseSchedule.Karras();
            var levels = kind switch
            {
                "karras" => StepSpacing.Karras(Number(arguments, "rho", 7), Number(arguments, "sigma_min", 0), Number(arguments, "sigma_max", 0)).Levels(schedule, count),
                "exponential" => StepSpacing.PolyExponential(1, Number(arguments, "sigma_min", 0), Number(arguments, "sigma_max", 0)).Levels(schedule, count),
                "polyexponential" => StepSpacing.PolyExponential(Number(arguments, "rho", 1), Number(arguments, "sigma_min", 0), Number(arguments, "sigma_max", 0)).Levels(schedule, count),
                _ => StepSpacing.Linspace.Levels(new VpSdeNoiseSchedule(), count),
            };
            var actual = tensor(levels.Select(level => (float)level.Ratio).ToArray());
            // The peer computes √(e^x − 1) in single precision, where e^x near 1 is right to 6e-8: σ² is compared, to that.
            var (power, absolute) = kind == "vp" ? (2, 6e-8) : (1, golden.AbsoluteTolerance);
            TensorAssert.Close(golden[$"{i}.{kind}"].pow(power), actual.pow(power), absolute, golden.RelativeTolerance, $"{i}: {kind}");
        }
    }

    [Fact]
    public void Ancestral_RecordedSigmas_SplitsTheStepAsRecorded()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("k_diffusion/ancestral_step");
        var arguments = golden["args"].to(ScalarType.Float64);
        for (var i = 0; i < arguments.shape[0]; i++)
        {
            var (from, to, eta) = (arguments[i, 0].item<double>(), arguments[i, 1].item<double>(), arguments[i, 2].item<double>());
            var (down, added) = StepMath.Ancestral(new NoiseLevel(1, from, 0), new NoiseLevel(1, to, 0), eta);
            Assert.Equal(golden["down"][i].item<float>(), down.Sigma, 1e-6 + (1e-5 * to));
            Assert.Equal(golden["up"][i].item<float>(), added, 1e-6 + (1e-5 * to));
        }
    }

    [Fact]
    public void Respaced_RecordedTexts_GiveTheRecordedTimestepsAndPosteriors()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("openai_diffusion/respacing_a");
        var items = golden.Constructor.GetProperty("items");
        for (var i = 0; i < items.GetArrayLength(); i++)
        {
            var timesteps = items[i][0].GetInt32();
            var sections = items[i][1].ValueKind == JsonValueKind.String
                ? items[i][1].GetString()!
                : string.Join(',', items[i][1].EnumerateArray().Select(count => count.GetInt32().ToString(CultureInfo.InvariantCulture)));
            INoiseSchedule schedule = items[i][2].GetString() == "linear" ? new LinearNoiseSchedule(timesteps) : new CosineNoiseSchedule(timesteps);

            var grid = TimestepGrid.Respaced(timesteps, sections);

            Assert.Equal(golden[$"{i}.timesteps"].data<long>().ToArray(), grid.Reverse().Select(t => (long)t));
            var levels = StepSpacing.Over(grid).Levels(schedule, null);
            var variances = Enumerable.Range(0, grid.Count).Reverse().Select(k => Posterior.Between(levels[k], levels[k + 1]).Variance).ToArray();
            var betas = Enumerable.Range(0, grid.Count).Reverse().Select(k => 1 - Math.Pow(levels[k].Alpha / levels[k + 1].Alpha, 2)).ToArray();
            TensorAssert.Close(golden[$"{i}.posterior_variance"], tensor(variances), golden.AbsoluteTolerance, golden.RelativeTolerance, $"{sections}: posterior variances");
            TensorAssert.Close(golden[$"{i}.betas"], tensor(betas), golden.AbsoluteTolerance, golden.RelativeTolerance, $"{sections}: betas");
        }
    }

    [Theory]
    [InlineData("ddim600")]
    [InlineData("10,0")]
    [InlineData("10,x")]
    [InlineData("600,600")]
    public void Respaced_ImpossibleText_IsRefusedByName(string sections) =>
        Assert.Contains(sections, Assert.Throws<ArgumentException>(() => TimestepGrid.Respaced(1000, sections)).Message, StringComparison.Ordinal);

    [Fact]
    public void Levels_AlignedTables_AreThePublishedSigmasAndInterpolateBetweenThem()
    {
        var schedule = new ScaledLinearNoiseSchedule();
        var spacing = StepSpacing.All.Single(each => each.Name == "ays-sd1");
        var ten = spacing.Levels(schedule, 10);
        Assert.Equal(11, ten.Count);
        Assert.Equal(14.6146412293, ten[0].Ratio, 1e-9);
        Assert.Equal(0.1515232662, ten[9].Ratio, 1e-9);
        Assert.Equal(NoiseLevel.Clean, ten[10]);
        // The timesteps published for the same table: 999, 850, 736, 645, 545, 455, 343, 233, 124, 24.
        Assert.Equal([999, 850, 736, 645, 545, 455, 343, 233, 124, 24], ten.Take(10).Select(level => (int)Math.Round(level.Timestep)));
        var twenty = spacing.Levels(schedule, 20);
        Assert.Equal(Math.Sqrt(14.6146412293 * 6.4745760956), twenty[1].Ratio, 1e-9);
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("linear-zero-snr")]
    [InlineData("flow")]
    [InlineData("karras")]
    public void Levels_EverySpacing_FallsFromTheNoisiestToTheCleanImage(string name)
    {
        var schedule = NoiseSchedule.Create(name);
        foreach (var spacing in StepSpacing.All)
        {
            foreach (var steps in new[] { 1, 2, 7, 20 })
            {
                var levels = spacing.Levels(schedule, steps);
                Assert.Equal(steps + 1, levels.Count);
                Assert.Equal(NoiseLevel.Clean, levels[^1]);
                for (var i = 1; i < levels.Count; i++)
                {
                    Assert.True(levels[i].Sigma * levels[i - 1].Alpha < levels[i - 1].Sigma * levels[i].Alpha, $"{name}, {spacing}, {steps} steps: level {i}");
                }
            }
        }
    }

    private static double Number(JsonElement arguments, string name, double otherwise) => arguments.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;
}
