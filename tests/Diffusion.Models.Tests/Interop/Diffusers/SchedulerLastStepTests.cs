using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>
/// The last step of diffusers schedulers, against their formulas (huggingface/diffusers 0.42.1, scheduling_ddpm.py, scheduling_ddim.py, scheduling_unipc_multistep.py,
/// scheduling_dpmsolver_multistep.py) written out once more: where it begins above timestep 0, and where it ends at the level it began at.
/// </summary>
public sealed class SchedulerLastStepTests
{
    private const int Above = 142; // the last of 7 trailing timesteps of 1000

    [Theory]
    [InlineData("fixed_small", 0)]
    [InlineData("fixed_small_log", 0)]
    [InlineData("fixed_large", 1)]
    public void Ddpm_LastStepAboveZero_AddsTheNoiseOfTheReference(string variance, double share)
    {
        using var scope = NewDisposeScope();
        var (image, noisy, drawn) = (full([1, 1, 2, 2], 0.5), Ramp(1.5), Ramp(-0.7));
        foreach (var spacing in new[] { """ "timestep_spacing":"trailing" """, $$""" "timestep_spacing":"leading","steps_offset":{{Above}} """ })
        {
            var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"DDPMScheduler","variance_type":"{{variance}}",{{spacing}}}""");
            using var end = Last(scheduler, 7, image, noisy, drawn, out var from);
            Assert.Equal(Above, from.Timestep);
            // ᾱ of what comes before is 1: the mean is x̂₀, and β = 1 − ᾱ_t.
            TensorAssert.Close(image + (drawn * (share * Math.Sqrt(1 - AlphaBar(Above)))), end, 1e-6, 1e-6, variance);
        }
    }

    [Fact]
    public void Ddpm_LastStepAboveZeroWithLearnedRange_TakesTheLogarithmBetweenTheBounds()
    {
        using var scope = NewDisposeScope();
        var (image, noisy, drawn, learned) = (full([1, 1, 2, 2], 0.5), Ramp(1.5), Ramp(-0.7), Ramp(1));
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"DDPMScheduler","variance_type":"learned_range","timestep_spacing":"trailing"}""");
        var sampler = scheduler.CreateSampler(7);
        using var noise = new ReplayNoise(drawn.unsqueeze(0));
        using var end = sampler.Continue(new WideDenoiser(scheduler.Schedule, image, learned), noisy, noise, firstStep: 6);

        var (low, high) = (Math.Log(1e-20), Math.Log(1 - AlphaBar(Above)));
        var logarithm = ((learned + 1) / 2 * high) + ((1 - ((learned + 1) / 2)) * low);
        TensorAssert.Close(image + ((logarithm / 2).exp() * drawn), end, 1e-6, 1e-5, "learned_range");
    }

    [Theory]
    [InlineData("trailing", 0)]
    [InlineData("leading", 0)]
    public void Ddpm_LastStepAtZero_AddsNone(string spacing, int last)
    {
        using var scope = NewDisposeScope();
        var image = full([1, 1, 2, 2], 0.5);
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"DDPMScheduler","variance_type":"fixed_large","timestep_spacing":"{{spacing}}"}""");
        using var end = Last(scheduler, 1000, image, Ramp(1.5), Ramp(-0.7), out var from);
        Assert.Equal(last, from.Timestep);
        TensorAssert.Close(image, end, 1e-6, 0, spacing);
    }

    [Fact]
    public void DdpmSampler_Own_AddsNoNoiseInTheLastStep()
    {
        using var scope = NewDisposeScope();
        var image = full([1, 1, 2, 2], 0.5);
        var schedule = new LinearNoiseSchedule();
        var sampler = new DdpmSampler(7, new() { Variance = ReverseVariance.FixedLarge });
        using var none = new ReplayNoise(null);
        using var end = sampler.Continue(new FunctionDenoiser(schedule, (_, _) => image.clone()), Ramp(1.5), none, firstStep: 6);
        TensorAssert.Close(image, end, 1e-6, 0, "as in the paper's algorithm 2");
    }

    [Theory]
    [InlineData("DDIMScheduler", "\"set_alpha_to_one\":true", 7, 0)] // 142 − 142
    [InlineData("DDIMScheduler", "\"set_alpha_to_one\":true", 8, -1)] // 124 − 125
    [InlineData("DDIMScheduler", "\"set_alpha_to_one\":false", 8, 0)]
    [InlineData("PNDMScheduler", "\"set_alpha_to_one\":true,\"skip_prk_steps\":true", 7, 0)]
    [InlineData("PNDMScheduler", "\"set_alpha_to_one\":true,\"skip_prk_steps\":true", 8, -1)]
    public void Levels_TrailingTimesteps_EndOneStrideBelowTheLast(string name, string keys, int steps, int last)
    {
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}","timestep_spacing":"trailing",{{keys}}}""");
        var end = scheduler.CreateSampler(steps).Levels(scheduler.Schedule)[^1];
        Assert.Equal(last < 0 ? NoiseLevel.Clean : scheduler.Schedule.LevelAt(last), end);
    }

    [Theory]
    [InlineData("trailing", 7, 0.0)]
    [InlineData("trailing", 7, 0.6)]
    [InlineData("linspace", 10, 0.6)]
    [InlineData("leading", 7, 1.0)]
    public void Ddim_WholeRun_StepsByTheStrideOfTheReference(string spacing, int steps, double eta)
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"DDIMScheduler","timestep_spacing":"{{spacing}}","clip_sample":false}""");
        var sampler = scheduler.CreateSampler(steps, eta);
        var timesteps = sampler.Levels(scheduler.Schedule).SkipLast(1).Select(level => (int)level.Timestep).ToArray();
        var (outputs, draws) = (randn([steps, 1, 1, 2, 2]), randn([steps, 1, 1, 2, 2]));
        var x = randn([1, 1, 2, 2]).to(ScalarType.Float64);
        using var noise = new ReplayNoise(draws);
        using var end = sampler.Continue(new ReplayDenoiser(scheduler.Schedule, Parameterization.Epsilon, outputs), x.to(ScalarType.Float32), noise);
        for (var i = 0; i < steps; i++)
        {
            var before = timesteps[i] - (1000 / steps);
            var (now, next) = (AlphaBar(timesteps[i]), before < 0 ? 1 : AlphaBar(before));
            var deviation = eta * Math.Sqrt((1 - next) / (1 - now) * (1 - (now / next)));
            var predicted = (x - (outputs[i] * Math.Sqrt(1 - now))) / Math.Sqrt(now);
            x = (predicted * Math.Sqrt(next)) + (outputs[i] * Math.Sqrt(1 - next - (deviation * deviation))) + (draws[i] * deviation);
        }

        TensorAssert.Close(x.to(ScalarType.Float32), end, 2e-5, 2e-5, spacing);
    }

    [Fact]
    public void Ddim_LastStepBetweenEqualLevels_IsClippedAllTheSame()
    {
        using var scope = NewDisposeScope();
        var (image, noisy) = (full([1, 1, 2, 2], 3.0), Ramp(1.5));
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"DDIMScheduler","set_alpha_to_one":false}""");
        using var end = Last(scheduler, 10, image, noisy, null, out var from);

        Assert.Equal(0, from.Timestep);
        var (alpha, sigma) = (Math.Sqrt(AlphaBar(0)), Math.Sqrt(1 - AlphaBar(0)));
        var predicted = (noisy.to(ScalarType.Float64) - (image * alpha)) / sigma; // ε̂ stays that of the image before it is clipped
        TensorAssert.Close(((predicted * sigma) + alpha).to(ScalarType.Float32), end, 1e-5, 0, "clipped to 1");
    }

    [Fact]
    public void UniPc_LastStepBetweenEqualLevels_CorrectsTheStepBefore()
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"UniPCMultistepScheduler","use_karras_sigmas":true,"final_sigmas_type":"sigma_min","solver_order":1,"prediction_type":"sample"}""");
        var sampler = scheduler.CreateSampler(2);
        var levels = sampler.Levels(scheduler.Schedule);
        var (x, first, second) = (Ramp(1.5), Ramp(0.4), Ramp(-0.3));
        using var none = new ReplayNoise(null);
        using var end = sampler.Continue(new ReplayDenoiser(scheduler.Schedule, Parameterization.Image, stack([first, second])), x, none);

        Assert.Equal((3, levels[1]), (levels.Count, levels[2]));
        // The corrector of order 1: the mean of the predictions at both ends.
        var shrink = levels[1].Sigma / levels[1].Alpha * levels[0].Alpha / levels[0].Sigma; // e^(−h)
        TensorAssert.Close((x * (levels[1].Sigma / levels[0].Sigma)) + ((first + second) / 2 * (levels[1].Alpha * (1 - shrink))), end, 1e-6, 1e-5, "corrected");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void DpmSolver_RunThatEndsAtSigmaMin_LowersTheOrderOfTheStepsOfTheReference(int order)
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"DPMSolverMultistepScheduler","use_karras_sigmas":true,"final_sigmas_type":"sigma_min","solver_order":{{order}},"prediction_type":"sample"}""");
        var sampler = scheduler.CreateSampler(3);
        var levels = sampler.Levels(scheduler.Schedule);
        Tensor[] images = [Ramp(0.4), Ramp(-0.3), Ramp(0.9)];
        var x = Ramp(1.5);
        using var none = new ReplayNoise(null);
        using var end = sampler.Continue(new ReplayDenoiser(scheduler.Schedule, Parameterization.Image, stack(images)), x, none);

        Assert.Equal((4, levels[2]), (levels.Count, levels[3]));
        // Three timesteps: the first step is of order 1, the second of order 2 (the second-last is lowered from 3 only), the third stays where it is.
        double[] lambdas = [.. levels.Take(3).Select(level => Math.Log(level.Alpha) - Math.Log(level.Sigma))];
        var (h0, h1) = (lambdas[1] - lambdas[0], lambdas[2] - lambdas[1]);
        x = (x * (levels[1].Sigma / levels[0].Sigma)) - (images[0] * (levels[1].Alpha * (Math.Exp(-h0) - 1)));
        var slope = (images[1] - images[0]) * (h1 / h0);
        x = (x * (levels[2].Sigma / levels[1].Sigma)) - ((images[1] + (slope * 0.5)) * (levels[2].Alpha * (Math.Exp(-h1) - 1)));
        TensorAssert.Close(x, end, 1e-5, 1e-5, $"order {order}");
    }

    [Theory]
    [InlineData("EulerDiscreteScheduler", "")]
    [InlineData("EulerDiscreteScheduler", "\"use_karras_sigmas\":true,")]
    [InlineData("EDMEulerScheduler", "")]
    [InlineData("EDMDPMSolverMultistepScheduler", "\"solver_order\":3,")]
    [InlineData("DPMSolverMultistepScheduler", "\"solver_order\":3,\"use_lu_lambdas\":true,")]
    [InlineData("UniPCMultistepScheduler", "\"solver_order\":3,\"use_flow_sigmas\":true,\"prediction_type\":\"flow_prediction\",")]
    [InlineData("UniPCMultistepScheduler", "\"solver_type\":\"bh1\",\"use_karras_sigmas\":true,")]
    public void CreateSampler_RunThatEndsAtSigmaMin_HasAllItsStepsAndLeavesTheImageInTheLast(string name, string keys)
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}",{{keys}}"final_sigmas_type":"sigma_min"}""");
        var sampler = scheduler.CreateSampler(5);
        var levels = sampler.Levels(scheduler.Schedule);
        var image = Ramp(0.5);
        Tensor? before = null;
        using var noise = new SeededNoise(1);
        using var end = sampler.Continue(new FunctionDenoiser(scheduler.Schedule, (_, _) => image.clone()), Ramp(1.5) * levels[0].Sigma, noise, onStep: step =>
            before = step.Index == 3 ? step.Noisy.to(ScalarType.Float32, copy: true) : before);

        Assert.Equal((6, levels[4].Alpha, levels[4].Sigma), (levels.Count, levels[5].Alpha, levels[5].Sigma));
        TensorAssert.Close(before!, end, 1e-6, 1e-6, "x between equal levels");
    }

    [Fact]
    public void Euler_ChurnBetweenEqualLevels_AddsNoiseAndTakesItAway()
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"EulerDiscreteScheduler","final_sigmas_type":"sigma_min"}""");
        var sampler = scheduler.CreateSampler(5, churn: new Churn(2));
        var (image, x, drawn) = (Ramp(0.5), Ramp(0.8), Ramp(-0.6));
        using var noise = new ReplayNoise(drawn.unsqueeze(0));
        using var end = sampler.Continue(new FunctionDenoiser(scheduler.Schedule, (_, _) => image.clone()), x, noise, firstStep: 4);

        // In x/α: σ̂ = 1.4·σ, x̂ = x + √(σ̂² − σ²)·z, then the slope (x̂ − x̂₀)/σ̂ from σ̂ to σ.
        var alpha = Math.Sqrt(AlphaBar(0));
        var sigma = Math.Sqrt(1 - AlphaBar(0)) / alpha;
        var raised = 1.4 * sigma;
        var noisier = (x / alpha) + (drawn * Math.Sqrt((raised * raised) - (sigma * sigma)));
        TensorAssert.Close((noisier + ((noisier - image) / raised * (sigma - raised))) * alpha, end, 1e-6, 1e-6, "churned");
    }

    [Fact]
    public void Inpainting_JumpsOverEqualLevels_GoBack()
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"EulerDiscreteScheduler","final_sigmas_type":"sigma_min"}""");
        var (image, mask) = (full([1, 1, 4, 4], 0.5), zeros([1, 1, 4, 4]));
        var calls = 0;
        var denoiser = new FunctionDenoiser(scheduler.Schedule, (_, _) =>
        {
            calls++;
            return image.clone();
        });
        using var end = new InpaintingSampler(scheduler.CreateSampler(6), image, mask, jumpLength: 2, resamples: 2).Sample(denoiser, [1, 1, 4, 4], seed: 3);

        Assert.Equal(6 + (2 * 2), calls); // jumps of two levels back with none, two steps left
        TensorAssert.Close(image, end, 0.1, 0, "the image, with the noise of the first timestep");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(20)]
    public void Levels_CosineWithKarrasSigmas_CutTimestepsOffAndBeginAtTheLast(int steps)
    {
        foreach (var ramp in new[] { "use_karras_sigmas", "use_lu_lambdas" })
        {
            var (cut, rounded) = (Timesteps("DPMSolverMultistepScheduler", "squaredcos_cap_v2"), Timesteps("UniPCMultistepScheduler", "squaredcos_cap_v2"));
            Assert.Equal(999, cut[0].Whole);
            Assert.All(cut, pair => Assert.Equal(Math.Floor(pair.Exact + 1e-9), pair.Whole));
            Assert.Contains(cut, pair => pair.Whole != Math.Round(pair.Exact));
            Assert.All(Timesteps("DPMSolverMultistepScheduler", "linear"), pair => Assert.Equal(Math.Round(pair.Exact), pair.Whole));
            if (ramp == "use_karras_sigmas")
            {
                Assert.All(rounded, pair => Assert.Equal(Math.Round(pair.Exact), pair.Whole));
            }

            (double Exact, double Whole)[] Timesteps(string name, string schedule)
            {
                var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}","beta_schedule":"{{schedule}}","{{ramp}}":true}""");
                return [.. scheduler.CreateSampler(steps).Levels(scheduler.Schedule).SkipLast(1).Select(level => (scheduler.Schedule.LevelWithRatio(level.Ratio).Timestep, level.Timestep))];
            }
        }
    }

    [Fact]
    public void Levels_ClippedTrailingTimesteps_EndAtTheLastAboveZero()
    {
        // λ_min_clipped leaves the timesteps 0 … e − 1; np.arange(e, 0, −100) has as many as are above 0.
        var scheduler = DiffusersScheduler.Parse(
            """{"_class_name":"DPMSolverMultistepScheduler","beta_schedule":"squaredcos_cap_v2","lambda_min_clipped":-1.5,"timestep_spacing":"trailing"}""");
        var end = Enumerable.Range(1, 1000).Last(t => scheduler.Schedule.LevelAt(t - 1).HalfLogSnr >= -1.5);
        Assert.InRange(end, 801, 900);
        Assert.Equal(
            Enumerable.Range(0, 9).Select(i => (double)(end - (100 * i) - 1)),
            scheduler.CreateSampler(10).Levels(scheduler.Schedule).SkipLast(1).Select(level => level.Timestep));
    }

    private static Tensor Last(DiffusersScheduler scheduler, int steps, Tensor image, Tensor noisy, Tensor? drawn, out NoiseLevel from)
    {
        var sampler = scheduler.CreateSampler(steps);
        var levels = sampler.Levels(scheduler.Schedule);
        from = levels[^2];
        using var noise = new ReplayNoise(drawn?.unsqueeze(0));
        return sampler.Continue(new FunctionDenoiser(scheduler.Schedule, (_, _) => image.clone()), noisy, noise, firstStep: levels.Count - 2);
    }

    private static Tensor Ramp(double scale) => (arange(4, dtype: ScalarType.Float32).view(1, 1, 2, 2) - 1) * scale;

    /// <summary>ᾱ of the linear schedule of diffusers: the product of 1 − β in single precision.</summary>
    private static double AlphaBar(int timestep)
    {
        var product = 1.0;
        for (var t = 0; t <= timestep; t++)
        {
            product *= 1 - (1e-4f + ((0.02f - 1e-4f) * t / 999f));
        }

        return product;
    }

    /// <summary>Predicts an image, and a second output beside it.</summary>
    private sealed class WideDenoiser(INoiseSchedule schedule, Tensor image, Tensor output) : IDenoiser
    {
        public INoiseSchedule Schedule => schedule;

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) => new(image.clone(), output.clone());
    }
}
