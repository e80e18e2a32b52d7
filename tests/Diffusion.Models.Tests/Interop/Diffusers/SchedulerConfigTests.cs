using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class SchedulerConfigTests
{
    [Theory]
    [InlineData("[]", "_class_name")]
    [InlineData("{", "not JSON")]
    [InlineData("""{"_class_name":"WrongScheduler"}""", "DDIMScheduler")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_schedule":"quadratic"}""", "quadratic")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_start":"a"}""", "beta_start")]
    [InlineData("""{"_class_name":"DDPMScheduler","clip_sample":3}""", "clip_sample")]
    [InlineData("""{"_class_name":"DDPMScheduler","num_train_timesteps":1.5}""", "num_train_timesteps")]
    [InlineData("""{"_class_name":"DDPMScheduler","prediction_type":"x"}""", "prediction_type")]
    [InlineData("""{"_class_name":"EulerDiscreteScheduler","timestep_type":"cyclic"}""", "timestep_type")]
    [InlineData("""{"_class_name":"FlowMatchEulerDiscreteScheduler","invert_sigmas":true}""", "invert_sigmas")]
    public void Parse_WhatItCannotRead_IsAnErrorThatNamesIt(string json, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void CreateSampler_UnknownValues_AreErrorsThatNameThem()
    {
        Assert.Contains("dpm3", Wrong("""{"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpm3"}"""), StringComparison.Ordinal);
        Assert.Contains("learned", Wrong("""{"_class_name":"DDPMScheduler","variance_type":"learned"}"""), StringComparison.Ordinal);
        Assert.Contains("sideways", Wrong("""{"_class_name":"DDPMScheduler","timestep_spacing":"sideways"}"""), StringComparison.Ordinal);

        static string Wrong(string json) => Assert.Throws<InvalidDataException>(() =>
        {
            var scheduler = DiffusersScheduler.Parse(json);
            scheduler.CreateSampler(10).Levels(scheduler.Schedule);
        }).Message;
    }

    /// <summary>Each class reads its own keys of limits; a key of another class in the same file has no effect, as in diffusers.</summary>
    [Theory]
    [InlineData("""{"_class_name":"DDPMScheduler"}""", 1)]
    [InlineData("""{"_class_name":"DDIMScheduler"}""", 1)]
    [InlineData("""{"_class_name":"DDIMInverseScheduler"}""", 1)]
    [InlineData("""{"_class_name":"DDIMInverseScheduler","clip_sample_range":0.5}""", 0.5)]
    [InlineData("""{"_class_name":"DDIMInverseScheduler","clip_sample":false,"thresholding":true}""", 4)]
    [InlineData("""{"_class_name":"DDIMScheduler","clip_sample":false}""", 4)]
    [InlineData("""{"_class_name":"DDIMScheduler","thresholding":true,"sample_max_value":2}""", 1)]
    [InlineData("""{"_class_name":"DDPMScheduler","clip_sample_range":3}""", 3)]
    [InlineData("""{"_class_name":"HeunDiscreteScheduler"}""", 4)]
    [InlineData("""{"_class_name":"HeunDiscreteScheduler","clip_sample":true}""", 1)]
    [InlineData("""{"_class_name":"LCMScheduler","clip_sample":true,"clip_sample_range":2}""", 2)]
    [InlineData("""{"_class_name":"EulerDiscreteScheduler","clip_sample":true,"thresholding":true}""", 4)]
    [InlineData("""{"_class_name":"PNDMScheduler","clip_sample":true}""", 4)]
    [InlineData("""{"_class_name":"DPMSolverMultistepScheduler","clip_sample":true}""", 4)]
    [InlineData("""{"_class_name":"DPMSolverMultistepScheduler","thresholding":true,"sample_max_value":2}""", 1)]
    [InlineData("""{"_class_name":"UniPCMultistepScheduler","thresholding":true,"sample_max_value":2}""", 1)]
    [InlineData("""{"_class_name":"DDPMParallelScheduler","clip_sample_range":3}""", 3)]
    [InlineData("""{"_class_name":"DDIMParallelScheduler"}""", 1)]
    [InlineData("""{"_class_name":"UnCLIPScheduler","clip_sample_range":2}""", 2)]
    [InlineData("""{"_class_name":"UnCLIPScheduler","clip_sample":false}""", 4)]
    [InlineData("""{"_class_name":"DPMSolverSinglestepScheduler","thresholding":true,"sample_max_value":2}""", 1)]
    [InlineData("""{"_class_name":"DPMSolverMultistepInverseScheduler","thresholding":true}""", 1)]
    [InlineData("""{"_class_name":"DEISMultistepScheduler","thresholding":true}""", 1)]
    [InlineData("""{"_class_name":"SASolverScheduler","thresholding":true}""", 1)]
    [InlineData("""{"_class_name":"KDPM2DiscreteScheduler","clip_sample":true,"thresholding":true}""", 4)]
    [InlineData("""{"_class_name":"CosineDPMSolverMultistepScheduler","thresholding":true}""", 4)]
    [InlineData("""{"_class_name":"UniPCMultistepScheduler","thresholding":true,"sample_max_value":2,"predict_x0":false}""", 4)]
    public void Limit_OfAClass_IsThatOfItsKeys(string json, double expected)
    {
        // x̂₀ is 4 or −4 in every pixel: 4 without a limit, the range where it is clipped, and ±1 where it is thresholded.
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse(json);
        var denoiser = new FunctionDenoiser(scheduler.Schedule, (noisy, _) => noisy.sign() * 4);
        Tensor? image = null;
        using var noise = new SeededNoise(1);
        scheduler.CreateSampler(2).Continue(denoiser, tensor([1f, -1f]).view(1, 1, 1, 2), noise, onStep: step => image ??= step.Image.clone().MoveToOuterDisposeScope());
        Assert.Equal(expected, image!.max().to(ScalarType.Float32).item<float>(), 1e-6);
        Assert.Equal(-expected, image.min().to(ScalarType.Float32).item<float>(), 1e-6);
    }

    /// <summary>diffusers guides in the pipeline and clips in the scheduler: the limit is that of the guided image, and DDIM keeps its ε.</summary>
    [Fact]
    public void CreateSampler_GuidanceAroundTheDenoiser_ClipsAfterIt()
    {
        using var scope = NewDisposeScope();
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"DDIMScheduler"}""");
        var better = new FunctionDenoiser(scheduler.Schedule, (noisy, _) => full_like(noisy, 0.9));
        var worse = new FunctionDenoiser(scheduler.Schedule, (noisy, _) => full_like(noisy, 0.2));
        using var noise = new SeededNoise(1);
        var start = tensor([1f, -1f]).view(1, 1, 1, 2);
        var sampler = scheduler.CreateSampler(10);
        List<Tensor> images = [];
        sampler.Continue(better.AutoGuided(worse, 5), start, noise, onStep: step => images.Add(step.Image.clone().MoveToOuterDisposeScope())); // 0.2 + 5·0.7 = 3.7
        Assert.All(images, image => Assert.Equal(1, image.max().item<float>(), 1e-6));

        var (from, to) = (sampler.Levels(scheduler.Schedule)[0], sampler.Levels(scheduler.Schedule)[1]);
        Tensor? next = null;
        sampler.Continue(better.AutoGuided(worse, 5), start, noise, onStep: step => next ??= step.Noisy.clone().MoveToOuterDisposeScope());
        var predicted = (start - (from.Alpha * 3.7)) / from.Sigma;
        TensorAssert.Close((predicted * to.Sigma) + to.Alpha, next!, 1e-5, 1e-5, "ε as predicted");
    }

    [Fact]
    public void Quantile_OfTheBetaDistribution_IsTheTabulatedOne()
    {
        // For a = b = 0.6: the arc-sine law (a = ½) and the even one (a = 1) enclose it, and it is symmetric.
        foreach (var share in new[] { 0.05, 0.1, 0.25, 0.4 })
        {
            var value = BetaSpacing.Quantile(share);
            Assert.InRange(value, Math.Pow(Math.Sin(Math.PI * share / 2), 2), share);
            Assert.Equal(1 - value, BetaSpacing.Quantile(1 - share), 1e-12);
            Assert.Equal(share, Distribution(value), 1e-5);
        }

        Assert.Equal(0.5, BetaSpacing.Quantile(0.5), 1e-12);
    }

    [Fact]
    public void Levels_BetaSigmas_RunBetweenTheEndsOfTheSchedule()
    {
        var scheduler = DiffusersScheduler.Parse("""{"_class_name":"EulerDiscreteScheduler","use_beta_sigmas":true}""");
        var levels = scheduler.CreateSampler(8).Levels(scheduler.Schedule);
        Assert.Equal(9, levels.Count);
        Assert.Equal(scheduler.Schedule.LevelAt(999).Ratio, levels[0].Ratio, 1e-9);
        Assert.Equal(scheduler.Schedule.LevelAt(0).Ratio, levels[7].Ratio, 1e-9);
        Assert.True(levels[0].Ratio - levels[1].Ratio < levels[3].Ratio - levels[4].Ratio);
    }

    /// <summary>The beta distribution by the midpoint rule after x = u^(1/a), which takes the pole away; normalised by symmetry.</summary>
    private static double Distribution(double x)
    {
        static double Integral(double end)
        {
            const int Parts = 200_000;
            var (sum, width) = (0.0, Math.Pow(end, 0.6) / Parts);
            for (var i = 0; i < Parts; i++)
            {
                sum += Math.Pow(1 - Math.Pow((i + 0.5) * width, 1 / 0.6), -0.4);
            }

            return sum * width;
        }

        return Integral(x) / (2 * Integral(0.5));
    }
}
