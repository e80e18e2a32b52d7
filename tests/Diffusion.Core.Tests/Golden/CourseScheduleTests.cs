using TorchSharp;

namespace Diffusion.Tests;

/// <summary>Schedule, forward and reverse process against explainingai-code/DDPM-Pytorch (tests/golden/README.md).</summary>
public sealed class CourseScheduleTests
{
    [Theory]
    [InlineData("explainingai/tables_T1000")]
    [InlineData("explainingai/tables_T300_b5e-5_0.03")]
    public void LinearNoiseSchedule_Tables_EqualTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        var schedule = Schedule(golden);
        var t = Enumerable.Range(0, schedule.Timesteps).ToArray();

        Check("betas", schedule.Betas);
        Check("alphas", [.. schedule.Betas.Select(beta => 1 - beta)]);
        Check("alpha_cum_prod", schedule.AlphaBars);
        Check("sqrt_alpha_cum_prod", [.. t.Select(i => schedule.LevelAt(i).Alpha)]);
        // The recorded float32 table of √(1 − ᾱ) is off by up to 8e-5, since 1 − ᾱ cancels in float32: the float64 table is the one to equal.
        Check("sqrt_one_minus_alpha_cum_prod", [.. t.Select(i => schedule.LevelAt(i).Sigma)], alsoSingle: false);

        void Check(string table, IReadOnlyList<double> values, bool alsoSingle = true)
        {
            using var actual = torch.tensor([.. values], torch.ScalarType.Float64);
            using var single = actual.to(torch.ScalarType.Float32);
            TensorAssert.Close(golden[table + "_f64"], actual, 0, 1e-12, table + "_f64");
            if (alsoSingle)
            {
                TensorAssert.Close(golden[table], single, golden.AbsoluteTolerance, golden.RelativeTolerance, table);
            }
        }
    }

    [Theory]
    [InlineData("explainingai/add_noise_a")]
    [InlineData("explainingai/add_noise_b")]
    public void AddNoise_BatchOfTimesteps_EqualsTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        using var tables = Golden.Case("explainingai/tables_T1000");
        using var noisy = new RecordedTables(tables).AddNoise(golden["original"], golden["noise"], golden["t"]);
        TensorAssert.Close(golden["x_t"], noisy, golden.AbsoluteTolerance, golden.RelativeTolerance, "x_t");
    }

    [Theory]
    [InlineData("explainingai/add_noise_a")]
    [InlineData("explainingai/add_noise_b")]
    public void AddNoise_DoublePrecisionSchedule_IsAsFarFromTheRecordedAsItsSinglePrecisionTables(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var golden = Golden.Case(name);
        using var tables = Golden.Case("explainingai/tables_T1000");
        var schedule = Schedule(golden);
        var levels = schedule.LevelsAt(golden["t"].data<long>().ToArray());
        var recorded = new RecordedTables(tables).LevelsAt(golden["t"].data<long>().ToArray());
        var difference = (schedule.AddNoise(golden["original"], golden["noise"], golden["t"]) - golden["x_t"]).abs();
        for (var i = 0; i < levels.Length; i++)
        {
            var bound = golden["original"][i].abs() * Math.Abs(levels[i].Alpha - recorded[i].Alpha)
                + golden["noise"][i].abs() * Math.Abs(levels[i].Sigma - recorded[i].Sigma)
                + golden["x_t"][i].abs() * 1e-6 + 1e-6;
            Assert.True((difference[i] <= bound).all().item<bool>(), $"image {i}: {difference[i].max().item<float>()}");
        }
    }

    /// <summary>The peer reports x̂₀ clipped, and steps with it as predicted.</summary>
    [Theory]
    [InlineData("explainingai/sample_prev_a")]
    [InlineData("explainingai/sample_prev_b")]
    public void Reverse_WithoutLimit_EqualsTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        var schedule = Schedule(golden);
        var timesteps = golden["t"].data<long>().ToArray();
        for (var i = 0; i < timesteps.Length; i++)
        {
            using var scope = torch.NewDisposeScope();
            using var step = schedule.Reverse(golden["xt"][i], golden["noise_pred"][i], (int)timesteps[i], golden["z"][i]);
            TensorAssert.Close(golden["x_prev"][i], step.Previous, golden.AbsoluteTolerance, golden.RelativeTolerance, $"x_prev at t = {timesteps[i]}");
            TensorAssert.Close(golden["x0"][i], step.Image.clamp(-1, 1), golden.AbsoluteTolerance, golden.RelativeTolerance, $"x0 at t = {timesteps[i]}");
        }
    }

    /// <summary>The peer's schedule as it computes it, in single precision: a schedule written outside the library.</summary>
    private sealed class RecordedTables(GoldenCase golden) : INoiseSchedule
    {
        public int Timesteps => (int)golden["betas"].numel();

        public NoiseLevel LevelAt(int timestep) => new(
            golden["sqrt_alpha_cum_prod"].data<float>()[timestep], golden["sqrt_one_minus_alpha_cum_prod"].data<float>()[timestep], timestep);
    }

    private static LinearNoiseSchedule Schedule(GoldenCase golden) => new(
        golden.Constructor.GetProperty("num_timesteps").GetInt32(),
        golden.Constructor.GetProperty("beta_start").GetDouble(),
        golden.Constructor.GetProperty("beta_end").GetDouble());
}
