using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Where runs of diffusers schedulers begin: the recorded init_noise_sigma (huggingface/diffusers, commit 58eb52c and version 0.42.1), and the timestep of a run of one step.</summary>
public sealed class SchedulerStartTests
{
    private static readonly string[] s_oneStep =
    [
        "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler", "DDPMScheduler", "DDIMScheduler", "DPMSolverMultistepScheduler",
        "UniPCMultistepScheduler",
    ];

    private static readonly string[] s_spacings = [""" "timestep_spacing":"linspace" """, """ "timestep_spacing":"trailing" """, """ "timestep_spacing":"linspace","use_karras_sigmas":true """];

    private static readonly string[] s_areas = ["diffusers_schedulers", "diffusers_schedulers_2", "few_step"];

    public static TheoryData<string> Runs() => [.. s_areas.SelectMany(Golden.Cases).Where(name =>
    {
        using var golden = Golden.Case(name);
        // Inversion begins with an image; one run has a list of timesteps of its own.
        return golden.Json.TryGetProperty("init_noise_sigma", out _) && golden.Tensors.ContainsKey("samples")
            && !name.Contains("inverse", StringComparison.Ordinal) && !name.Contains("custom", StringComparison.Ordinal);
    })];

    [Theory]
    [MemberData(nameof(Runs))]
    public void SampleFrom_RecordedScheduler_BeginsWithTheRecordedDeviation(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case(name);
        var run = new SchedulerCase(golden);
        var sampler = run.Scheduler.CreateSampler(run.Steps, run.Options);

        var expected = golden.Json.GetProperty("init_noise_sigma").GetDouble();
        Assert.Equal(1, FirstCall.Deviation(sampler, run.Scheduler.Schedule) * run.Scale(sampler.Levels(run.Scheduler.Schedule)[0]) / expected, 1e-6);
    }

    [Fact]
    public void SampleFrom_SigmaSamplerWithLeadingTimesteps_BeginsWithTheDeviationOfNoisyImages()
    {
        // init_noise_sigma is σ_max for linspace and trailing, √(σ_max² + 1) for leading timesteps; x here is that of the peer times α.
        foreach (var name in new[] { "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler" })
        {
            foreach (var spacing in new[] { "leading", "linspace", "trailing" })
            {
                var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}","timestep_spacing":"{{spacing}}"}""");
                var sampler = scheduler.CreateSampler(4);
                var level = sampler.Levels(scheduler.Schedule)[0];
                var sigma = level.Sigma / level.Alpha;
                var peer = spacing == "leading" ? Math.Sqrt((sigma * sigma) + 1) : sigma;
                Assert.Equal(1, FirstCall.Deviation(sampler, scheduler.Schedule) / (peer * level.Alpha), 1e-6);
            }
        }
    }

    [Theory]
    [InlineData("""{"_class_name":"EDMEulerScheduler","sigma_max":3}""", 3.1622776601683795)] // √(3² + 1)
    [InlineData("""{"_class_name":"EDMDPMSolverMultistepScheduler","sigma_max":3}""", 3.1622776601683795)]
    [InlineData("""{"_class_name":"ScoreSdeVeScheduler","sigma_max":3}""", 3)]
    [InlineData("""{"_class_name":"IPNDMScheduler"}""", 1)]
    [InlineData("""{"_class_name":"FlowMatchEulerDiscreteScheduler","shift":3}""", 1)]
    [InlineData("""{"_class_name":"UniPCMultistepScheduler","use_flow_sigmas":true,"prediction_type":"flow_prediction","num_train_timesteps":10}""", 1)]
    public void SampleFrom_OtherScheduler_BeginsAsItsClassDoes(string json, double expected)
    {
        var scheduler = DiffusersScheduler.Parse(json);
        Assert.Equal(expected, FirstCall.Deviation(scheduler.CreateSampler(4), scheduler.Schedule), 1e-6);
    }

    [Fact]
    public void CreateSampler_OneStep_BeginsAtTheLastTimestep()
    {
        foreach (var name in s_oneStep)
        {
            foreach (var spacing in s_spacings)
            {
                var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}",{{spacing}}}""");
                var levels = scheduler.CreateSampler(1).Levels(scheduler.Schedule);
                Assert.Equal((name, spacing, 2, 999), (name, spacing, levels.Count, levels[0].Timestep));
                Assert.Equal(scheduler.Schedule.LevelAt(999).Ratio, levels[0].Ratio, 1e-9 * levels[0].Ratio);
            }
        }
    }

    [Theory]
    [InlineData("EulerDiscreteScheduler")]
    [InlineData("EulerAncestralDiscreteScheduler")]
    [InlineData("HeunDiscreteScheduler")]
    [InlineData("LMSDiscreteScheduler")]
    public void Sample_OneStep_IsWhatTheNetworkSees(string name)
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{name}}"}""");
        var image = full(1, 3, 8, 8, 0.25);
        using var drawn = scheduler.CreateSampler(1).Sample(new FunctionDenoiser(scheduler.Schedule, (_, _) => image.clone()), [1, 3, 8, 8], seed: 0);
        TensorAssert.Close(image, drawn, 1e-4, 0, name);
    }

    [Theory]
    [InlineData("use_karras_sigmas")]
    [InlineData("use_exponential_sigmas")]
    [InlineData("use_beta_sigmas")]
    public void CreateSampler_OneFlowStepOnARamp_BeginsAtPureNoise(string ramp)
    {
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"FlowMatchEulerDiscreteScheduler","{{ramp}}":true,"shift_terminal":0.1}""");
        Assert.Equal([1, 0], scheduler.CreateSampler(1).Levels(scheduler.Schedule).Select(level => level.Sigma));
    }
}
