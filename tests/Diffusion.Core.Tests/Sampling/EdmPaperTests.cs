using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>
/// EDM against the equations of Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, written out once more, in double precision: table 1
/// (preconditioning and loss weight), Eq. 5 (the steps) and algorithms 1 and 2 for s(t) = 1, σ(t) = t.
/// </summary>
public sealed class EdmPaperTests
{
    private const double Exact = 1e-13;

    private static readonly double[] s_sigmas = [0.002, 0.03, 0.5, 1, 7.3, 80];
    private static readonly double[] s_data = [0.25, 0.5, 1.3];

    [Fact]
    public void Karras_EverySigma_HasThePreconditioningOfTable1()
    {
        var schedule = SigmaNoiseSchedule.Karras();
        foreach (var (sigma, data) in Pairs())
        {
            var level = schedule.LevelWithRatio(sigma);
            var at = Parameterization.Karras(data).At(level);
            Relative((data * data) / ((sigma * sigma) + (data * data)), at.Skip);
            Relative(sigma * data / Math.Sqrt((data * data) + (sigma * sigma)), at.Out);
            Relative(1 / Math.Sqrt((sigma * sigma) + (data * data)), at.In);
            Assert.Equal(0.25 * Math.Log(sigma), level.Timestep, Exact); // c_noise
        }
    }

    [Fact]
    public void Edm_EverySigma_HasTheWeightOfTable1()
    {
        foreach (var (sigma, data) in Pairs())
        {
            var level = new NoiseLevel(1, sigma, 0);
            var lambda = ((sigma * sigma) + (data * data)) / (sigma * data * (sigma * data));
            Relative(lambda, LossWeighting.Edm(data).At(level, Parameterization.Image));
            // On the network's own output, Eq. 8, it is 1: λ·c_out² = 1.
            Relative(1, LossWeighting.Edm(data).At(level, Parameterization.Karras(data)));
        }
    }

    [Fact]
    public void Denoiser_EverySigma_IsEquation7AndItsLossEquation8()
    {
        using var scope = NewDisposeScope();
        var (clean, noise) = (Values(0.4), Values(-1.1));
        foreach (var (sigma, data) in Pairs())
        {
            NoiseLevel[] levels = [new(1, sigma, 0.25 * Math.Log(sigma))];
            var karras = Parameterization.Karras(data);
            var noisy = clean + (noise * sigma);
            var total = Math.Sqrt((sigma * sigma) + (data * data));
            var output = (noisy / total).sin(); // F(c_in·x)
            var denoised = (noisy * (data * data / (total * total))) + (output * (sigma * data / total));

            using var input = karras.ToInput(noisy, levels);
            TensorAssert.Close(noisy / total, input, Exact, Exact, "c_in·x");
            TensorAssert.Close(denoised, karras.ToImage(noisy, input.sin(), levels), Exact, 1e-12, "D(x; σ)");

            var lambda = ((total * total) / (sigma * data)) / (sigma * data);
            var expected = (denoised - clean).square().mean().item<double>() * lambda;
            var target = karras.Target(clean, noise, levels);
            Relative(expected, (output - target).square().mean().item<double>() * LossWeighting.Edm(data).At(levels[0], karras), 1e-9);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public void Levels_KarrasSpacing_AreEquation5(int steps)
    {
        var levels = new HeunSampler(steps, HeunOptions.Edm).Levels(SigmaNoiseSchedule.Karras());
        var expected = Times(steps);
        Assert.Equal(expected.Length, levels.Count);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(1, levels[i].Alpha);
            Assert.Equal(expected[i], levels[i].Sigma, 1e-12 * Math.Max(1, expected[i]));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public void Heun_Deterministic_IsAlgorithm1(int steps)
    {
        using var scope = NewDisposeScope();
        var x = Values(1) * 80;
        using var none = new ReplayNoise(null);
        using var drawn = new HeunSampler(steps, new() { Spacing = StepSpacing.Karras(), DoublePrecision = true }).Continue(Denoiser, x, none);
        TensorAssert.Close(Algorithm1(x, Times(steps)), drawn, 1e-11, 1e-11, "algorithm 1");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(150)] // γ is S_churn/N from here on: 40/150 is below √2 − 1
    public void Heun_Edm_IsAlgorithm2(int steps)
    {
        using var scope = NewDisposeScope();
        var draws = stack([.. Enumerable.Range(0, steps).Select(i => Values(Math.Sin(i + 1)))]);
        var x = Values(1) * 80;
        using var noise = new ReplayNoise(draws);
        // The paper draws for every step; here only where γ > 0.
        using var drawn = new HeunSampler(steps, HeunOptions.Edm).Continue(Denoiser, x, noise);
        TensorAssert.Close(Algorithm2(x, Times(steps), draws, 40, 0.05, 50, 1.003), drawn, 1e-11, 1e-11, "algorithm 2");
    }

    [Fact]
    public void Sample_Edm_BeginsWithSigmaMaxTimesNoise()
    {
        using var scope = NewDisposeScope();
        var schedule = SigmaNoiseSchedule.Karras(); // σ_max = 80, where there is no churn
        foreach (var sampler in new[] { new HeunSampler(4, HeunOptions.Edm), Sampler.Create("edm", 4) })
        {
            Assert.Equal(80, FirstCall.Deviation(sampler, schedule), 1e-4);
        }
    }

    private static FunctionDenoiser Denoiser => new(SigmaNoiseSchedule.Karras(), (x, level) => Denoised(x, level.Sigma));

    /// <summary>Images of ±½.</summary>
    private static Tensor Denoised(Tensor x, double sigma) => (x * (0.5 / (sigma * sigma))).tanh() * 0.5;

    /// <summary>Eq. 5 with the table's σ_min = 0.002, σ_max = 80, ρ = 7, and t_N = 0.</summary>
    private static double[] Times(int steps)
    {
        var (low, high) = (Math.Pow(0.002, 1.0 / 7), Math.Pow(80, 1.0 / 7));
        return [.. Enumerable.Range(0, steps).Select(i => steps == 1 ? 80 : Math.Pow(high + ((double)i / (steps - 1) * (low - high)), 7)), 0];
    }

    private static Tensor Algorithm1(Tensor x, double[] times)
    {
        for (var i = 0; i < times.Length - 1; i++)
        {
            x = Heun(x, times[i], times[i + 1]);
        }

        return x;
    }

    private static Tensor Algorithm2(Tensor x, double[] times, Tensor draws, double churn, double min, double max, double scale)
    {
        var steps = times.Length - 1;
        var drawn = 0;
        for (var i = 0; i < steps; i++)
        {
            var gamma = times[i] >= min && times[i] <= max ? Math.Min(churn / steps, Math.Sqrt(2) - 1) : 0;
            var raised = times[i] + (gamma * times[i]);
            if (gamma > 0)
            {
                x = x + (draws[drawn++] * (Math.Sqrt((raised * raised) - (times[i] * times[i])) * scale));
            }

            x = Heun(x, raised, times[i + 1]);
        }

        return x;
    }

    /// <summary>Lines 4 to 8 of algorithm 1, which are lines 7 to 11 of algorithm 2.</summary>
    private static Tensor Heun(Tensor x, double from, double to)
    {
        var slope = (x - Denoised(x, from)) / from;
        var next = x + (slope * (to - from));
        return to == 0 ? next : x + ((slope + ((next - Denoised(next, to)) / to)) * (0.5 * (to - from)));
    }

    private static IEnumerable<(double Sigma, double Data)> Pairs() => s_sigmas.SelectMany(sigma => s_data.Select(data => (sigma, data)));

    private static Tensor Values(double scale) => (arange(32, dtype: ScalarType.Float64).view(2, 1, 4, 4) * 0.7).sin() * scale;

    private static void Relative(double expected, double actual, double tolerance = 1e-12) => Assert.Equal(1, actual / expected, tolerance);
}
