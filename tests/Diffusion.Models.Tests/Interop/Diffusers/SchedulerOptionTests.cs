using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Options of diffusers schedulers that no recording has, against their formulas written out here (huggingface/diffusers, src/diffusers/schedulers, 0.42.1).</summary>
public sealed class SchedulerOptionTests
{
    public static TheoryData<string> Refused() => [.. SchedulerKeys.ClassNames.Where(name => !DiffusersScheduler.ClassNames.Contains(name))];

    [Fact]
    public void ClassNames_Each_HasARecordedRun()
    {
        var recorded = new[] { "diffusers_schedulers", "diffusers_schedulers_2", "few_step" }.SelectMany(Golden.Cases).SelectMany(name =>
        {
            using var golden = Golden.Case(name);
            return golden.Json.GetProperty("peer").TryGetProperty("class", out var classes) ? classes.GetString()!.Split(" + ") : [];
        }).Select(name => name.Split('.')[^1]).ToHashSet();
        Assert.Equal(29, DiffusersScheduler.ClassNames.Count);
        Assert.Empty(DiffusersScheduler.ClassNames.Except(recorded));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Parse_ClassThatIsNotExpressed_IsRefusedWithThoseThatAre(string name)
    {
        var message = Wrong($$"""{"_class_name":"{{name}}"}""");
        Assert.StartsWith($"The scheduler class \"{name}\" is not supported; this library reads DDPMScheduler, ", message, StringComparison.Ordinal);
        Assert.Contains(", SASolverScheduler", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"_class_name":"SASolverScheduler","tau_func":"x"}""", "tau_func")]
    [InlineData("""{"_class_name":"SASolverScheduler","algorithm_type":"dpmsolver++"}""", "data_prediction, noise_prediction")]
    [InlineData("""{"_class_name":"SASolverScheduler","predictor_order":5}""", "from 1 to 4; they are 5 and 2")]
    [InlineData("""{"_class_name":"FlowMatchLCMScheduler","scale_factors":[0.5,1]}""", "scale_factors")]
    [InlineData("""{"_class_name":"IPNDMScheduler","trained_betas":[0.1]}""", "trained_betas")]
    [InlineData("""{"_class_name":"UnCLIPScheduler","beta_schedule":"linear"}""", "squaredcos_cap_v2")]
    [InlineData("""{"_class_name":"UnCLIPScheduler","variance_type":"fixed_large"}""", "fixed_small_log, learned_range")]
    [InlineData("""{"_class_name":"DEISMultistepScheduler","algorithm_type":"sde-dpmsolver++"}""", "deis")]
    [InlineData("""{"_class_name":"DEISMultistepScheduler","solver_order":4}""", "from 1 to 3; it is 4")]
    [InlineData("""{"_class_name":"DPMSolverMultistepInverseScheduler","algorithm_type":"sde-dpmsolver++"}""", "dpmsolver++, dpmsolver")]
    [InlineData("""{"_class_name":"DPMSolverMultistepInverseScheduler","use_flow_sigmas":true}""", "use_flow_sigmas")]
    [InlineData("""{"_class_name":"DPMSolverSinglestepScheduler","solver_order":4}""", "4")]
    [InlineData("""{"_class_name":"ScoreSdeVeScheduler","snr":0}""", "signal-to-noise ratio")]
    [InlineData("""{"_class_name":"ScoreSdeVeScheduler","correct_steps":-1}""", "-1")]
    [InlineData("""{"_class_name":"ScoreSdeVeScheduler","sigma_max":0.001}""", "0.01")]
    [InlineData("""{"_class_name":"CosineDPMSolverMultistepScheduler","sigma_schedule":"linear"}""", "sigma_schedule")]
    public void Parse_ValueThatTheClassDoesNotHave_IsRefusedByName(string json, string reason) => Assert.Contains(reason, Wrong(json), StringComparison.Ordinal);

    [Theory]
    [InlineData("UniPCMultistepScheduler", 1.0, 0.0)]
    [InlineData("DPMSolverMultistepScheduler", 0.999, 0.0)]
    [InlineData("DPMSolverSinglestepScheduler", 0.999, 0.0)]
    [InlineData("DEISMultistepScheduler", 0.999, 1.0)]
    [InlineData("SASolverScheduler", 0.999, 1.0)]
    public void Levels_FlowOfASolver_AreShiftedAndCutOff(string name, double first, double endsAtLast)
    {
        // u from 1 or from 0.999, in fifths of 0.999; σ = s·u/(1 + (s − 1)·u), and its timestep cut off.
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}","use_flow_sigmas":true,"flow_shift":2.5,"prediction_type":"flow_prediction"}""");
        var levels = scheduler.CreateSampler(5).Levels(scheduler.Schedule);
        double[] expected = [.. Enumerable.Range(0, 5).Select(i => first - (0.999 / 5 * i)).Select(u => 2.5 * u / (1 + (1.5 * u))).Select(sigma => sigma == 1 ? 1 - 1e-6 : sigma)];
        Assert.Equal(expected, levels.SkipLast(1).Select(level => level.Sigma), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(expected.Select(sigma => Math.Floor(sigma * 1000)), levels.SkipLast(1).Select(level => level.Timestep));
        Assert.Equal(expected[^1] * endsAtLast, levels[^1].Sigma, 1e-12);
    }

    [Theory]
    [InlineData("UniPCMultistepScheduler")]
    [InlineData("DPMSolverMultistepScheduler")]
    [InlineData("DPMSolverSinglestepScheduler")]
    [InlineData("DEISMultistepScheduler")]
    public void Levels_DynamicShift_IsThatOfItsExponential(string name)
    {
        var dynamic = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}","use_flow_sigmas":true,"use_dynamic_shifting":true,"prediction_type":"flow_prediction"}""");
        var shifted = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}","use_flow_sigmas":true,"flow_shift":{{FormattableString.Invariant($"{Math.Exp(0.7):R}")}},"prediction_type":"flow_prediction"}""");
        Assert.Equal(
            shifted.CreateSampler(6).Levels(shifted.Schedule).Select(level => level.Sigma),
            dynamic.CreateSampler(6, mu: 0.7).Levels(dynamic.Schedule).Select(level => level.Sigma),
            (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void Levels_UniPcFlowToATerminalOrOnKarrasRamp_AreStretchedOrDivided()
    {
        var stretched = DiffusersScheduler.Parse("""{"_class_name":"UniPCMultistepScheduler","use_flow_sigmas":true,"shift_terminal":0.1,"prediction_type":"flow_prediction"}""");
        double[] even = [.. Enumerable.Range(0, 4).Select(i => 1 - (0.999 / 4 * i))];
        Assert.Equal(
            [1 - 1e-6, .. even.Skip(1).Select(u => 1 - ((1 - u) * 0.9 / (1 - even[^1])))],
            stretched.CreateSampler(4).Levels(stretched.Schedule).SkipLast(1).Select(level => level.Sigma),
            (a, b) => Math.Abs(a - b) < 1e-12);

        // Karras's ramp from 200 to 0.01, σ/(1 + σ) of it.
        var karras = DiffusersScheduler.Parse(
            """{"_class_name":"UniPCMultistepScheduler","use_flow_sigmas":true,"use_karras_sigmas":true,"sigma_min":0.01,"sigma_max":200,"prediction_type":"flow_prediction"}""");
        var (low, high) = (Math.Pow(0.01, 1 / 7.0), Math.Pow(200, 1 / 7.0));
        double[] ramp = [.. Enumerable.Range(0, 4).Select(i => Math.Pow(high + ((low - high) * i / 3), 7)).Select(sigma => sigma / (1 + sigma))];
        var levels = karras.CreateSampler(4).Levels(karras.Schedule);
        Assert.Equal(ramp, levels.SkipLast(1).Select(level => level.Sigma), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(ramp.Select(sigma => Math.Floor(sigma * 1000)), levels.SkipLast(1).Select(level => level.Timestep));
    }

    [Theory]
    [InlineData("linspace", new[] { 0, 200, 400, 599, 799 })]
    [InlineData("leading", new[] { 3, 169, 335, 501, 667 })]
    [InlineData("trailing", new[] { 199, 399, 599, 799, 999 })]
    public void Levels_Inverse_GoUpToTheNoisiest(string spacing, int[] timesteps)
    {
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"DPMSolverMultistepInverseScheduler","timestep_spacing":"{{spacing}}","steps_offset":3}""");
        Assert.Equal([.. timesteps.Select(t => (double)t), 999], scheduler.CreateSampler(5).Levels(scheduler.Schedule).Select(level => level.Timestep));
    }

    [Fact]
    public void Levels_InverseClipped_EndBelowTheLastTimestep()
    {
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"DPMSolverMultistepInverseScheduler","beta_schedule":"squaredcos_cap_v2","lambda_min_clipped":-1.5}""");
        var noisiest = Enumerable.Range(0, 1000).Last(t => scheduler.Schedule.LevelAt(t).HalfLogSnr >= -1.5);
        Assert.InRange(noisiest, 800, 900);
        Assert.Equal(
            [.. Enumerable.Range(0, 5).Select(i => Math.Round(i * (noisiest / 5.0))), noisiest],
            scheduler.CreateSampler(5).Levels(scheduler.Schedule).Select(level => level.Timestep));
    }

    /// <summary>The timestep of σ is ln(σ)/4 with v alone; the noise of churn is seen at its own.</summary>
    [Fact]
    public void Levels_ContinuousTimesteps_AreOfVAlone()
    {
        DiffusersScheduler Read(string prediction) => DiffusersScheduler.Parse($$"""{"_class_name":"EulerDiscreteScheduler","timestep_type":"continuous","prediction_type":"{{prediction}}"}""");
        var (continuous, discrete) = (Read("v_prediction"), Read("epsilon"));
        var levels = continuous.CreateSampler(5).Levels(continuous.Schedule);
        Assert.All(levels.SkipLast(1), level => Assert.Equal(Math.Log(level.Ratio) / 4, level.Timestep, 1e-12));
        Assert.Equal(Math.Log(3.0) / 4, continuous.Schedule.LevelWithRatio(3).Timestep, 1e-12);
        Assert.Equal(levels.Select(level => level.Sigma), discrete.CreateSampler(5).Levels(discrete.Schedule).Select(level => level.Sigma));
        Assert.Equal(999, discrete.CreateSampler(5).Levels(discrete.Schedule)[0].Timestep);
    }

    /// <summary>Blocks that do not come out even, and runs that end at the clean image, lower the order at the end whatever lower_order_final says.</summary>
    [Theory]
    [InlineData(2, 9, "sigma_min", true)]
    [InlineData(3, 10, "sigma_min", true)]
    [InlineData(2, 8, "zero", true)]
    [InlineData(2, 8, "sigma_min", false)]
    [InlineData(3, 9, "sigma_min", false)]
    public void Singlestep_LowerOrderFinal_IsTurnedOnWhereDiffusersDoes(int order, int steps, string final, bool same)
    {
        using var scope = NewDisposeScope();
        Tensor Run(string lower)
        {
            var scheduler = DiffusersScheduler.Parse(
                $$"""{"_class_name":"DPMSolverSinglestepScheduler","solver_order":{{order}},"final_sigmas_type":"{{final}}","lower_order_final":{{lower}},"prediction_type":"sample"}""");
            using var noise = new ReplayNoise(null);
            return scheduler.CreateSampler(steps).Continue(new FunctionDenoiser(scheduler.Schedule, (noisy, level) => noisy.mul(0.3).sin()), Images(0), noise);
        }

        var difference = (Run("true") - Run("false")).abs().max().item<float>();
        Assert.Equal(same, difference == 0);
    }

    /// <summary>diffusers' third order with fresh noise: the weight of D₂ is α·((1 − e^(−2h) − 2h)/(2h)² − ½), which is −α for small h and should be 0.</summary>
    [Theory]
    [InlineData("DPMSolverMultistepScheduler", "midpoint")]
    [InlineData("DPMSolverSinglestepScheduler", "heun")]
    public void StochasticThirdOrder_OneStep_IsDiffusers(string name, string solver)
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse(
            $$"""{"_class_name":"{{name}}","solver_order":3,"algorithm_type":"sde-dpmsolver++","solver_type":"{{solver}}","prediction_type":"sample"}""");
        var sampler = scheduler.CreateSampler(18);
        var levels = sampler.Levels(scheduler.Schedule);
        var (outputs, draws) = (stack([.. Enumerable.Range(0, 18).Select(Images)]), stack([.. Enumerable.Range(20, 18).Select(Images)]));
        List<Tensor> xs = [Images(40)];
        using var noise = new ReplayNoise(draws);
        sampler.Continue(new ReplayDenoiser(scheduler.Schedule, scheduler.Parameterization, outputs), xs[0], noise, onStep: step => xs.Add(step.Noisy.clone().MoveToOuterDisposeScope()));

        // The step from level 2 to level 3, the third of the run and of the block.
        var block = name == "DPMSolverSinglestepScheduler";
        double Lambda(int i) => levels[i].HalfLogSnr;
        var (m0, m1, m2) = (outputs[2], outputs[1], outputs[0]);
        var (start, h) = (block ? 0 : 2, Lambda(3) - Lambda(block ? 0 : 2));
        Tensor first, second, base0;
        if (block)
        {
            var (r0, r1) = ((Lambda(2) - Lambda(0)) / h, (Lambda(1) - Lambda(0)) / h);
            var (near, far) = ((m1 - m2) / r1, (m0 - m2) / r0);
            (base0, first, second) = (m2, ((near * r0) - (far * r1)) / (r0 - r1), (far - near) * 2 / (r0 - r1));
        }
        else
        {
            var (r0, r1) = ((Lambda(2) - Lambda(1)) / h, (Lambda(1) - Lambda(0)) / h);
            var (near, far) = ((m0 - m1) / r0, (m1 - m2) / r1);
            (base0, first, second) = (m0, near + ((near - far) * (r0 / (r0 + r1))), (near - far) / (r0 + r1));
        }

        var (alpha, sigma) = (levels[3].Alpha, levels[3].Sigma);
        var expected = (xs[start] * (sigma / levels[start].Sigma * Math.Exp(-h)))
            + (base0 * (alpha * (1 - Math.Exp(-2 * h))))
            + (first * (alpha * (((1 - Math.Exp(-2 * h)) / (-2 * h)) + 1)))
            + (second * (alpha * (((1 - Math.Exp(-2 * h) - (2 * h)) / (4 * h * h)) - 0.5)))
            + (draws[2] * (sigma * Math.Sqrt(1 - Math.Exp(-2 * h))));
        TensorAssert.Close(expected, xs[3], 2e-5, 2e-5, name);
    }

    [Fact]
    public void CreateSampler_FlowMatchHeunWithChurn_IsRefused()
    {
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"FlowMatchHeunDiscreteScheduler"}""");
        Assert.Contains("churn", Assert.Throws<ArgumentException>(() => scheduler.CreateSampler(5, churn: new Churn(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateSampler_ArgumentsThatTheClassLacks_AreRefused()
    {
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"PNDMScheduler"}""");
        Action[] wrong = [() => scheduler.CreateSampler(5, eta: 0.5), () => scheduler.CreateSampler(5, useClippedModelOutput: true), () => scheduler.CreateSampler(5, churn: new Churn(1)), () => scheduler.CreateSampler(5, order: 2)];
        foreach (var (call, argument) in wrong.Zip(["eta", "useClippedModelOutput", "churn", "order"]))
        {
            Assert.Contains($"PNDMScheduler has no {argument}", Assert.Throws<ArgumentException>(argument, call).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void CreateSampler_NoiseScaleOfTheSde_IsThatOfItsNoise()
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"DPMSolverSDEScheduler"}""");
        Tensor Run(double scale)
        {
            using var noise = new SeededNoise(4);
            return scheduler.CreateSampler(1, churn: new Churn(0, NoiseScale: scale)).Continue(new FunctionDenoiser(scheduler.Schedule, (noisy, _) => zeros_like(noisy)), Images(2), noise);
        }

        // Without noise x̂₀ = 0 shrinks x to what is left of its own; two steps, the last to the clean image.
        TensorAssert.Close(Run(0), Run(2), 0, 0, "one step ends clean");
        var two = scheduler.CreateSampler(2, churn: new Churn(0, NoiseScale: 0));
        List<Tensor> xs = [];
        using var none = new SeededNoise(4);
        two.Continue(new FunctionDenoiser(scheduler.Schedule, (noisy, _) => zeros_like(noisy)), Images(2), none, onStep: step => xs.Add(step.Noisy.clone().MoveToOuterDisposeScope()));
        var levels = two.Levels(scheduler.Schedule);
        var kept = levels[1].Ratio / levels[0].Ratio;
        TensorAssert.Close(Images(2) * (levels[1].Sigma / levels[0].Sigma * kept), xs[0], 1e-6, 1e-5, "σ² of the ratio is left without noise");
    }

    [Fact]
    public void CreateSampler_LmsOfOrderOne_IsEuler()
    {
        using var scope = NewDisposeScope();
        Tensor Run(string name, int? order)
        {
            var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}"}""");
            using var noise = new ReplayNoise(null);
            return scheduler.CreateSampler(6, order: order).Continue(new FunctionDenoiser(scheduler.Schedule, (noisy, _) => noisy.mul(0.3).sin()), Images(1), noise);
        }

        var euler = Run("EulerDiscreteScheduler", null);
        TensorAssert.Close(euler, Run("LMSDiscreteScheduler", 1), 1e-5, 1e-5, "order 1");
        TensorAssert.Close(Run("LMSDiscreteScheduler", null), Run("LMSDiscreteScheduler", 4), 0, 0, "the default is 4");
        Assert.True((euler - Run("LMSDiscreteScheduler", 2)).abs().max().item<float>() > 1e-3);
    }

    private static string Wrong(string json) => Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(json)).Message;

    private static Tensor Images(int seed) => (arange(12, dtype: ScalarType.Float32).view(1, 3, 2, 2) + (seed * 5.3)).sin();
}
