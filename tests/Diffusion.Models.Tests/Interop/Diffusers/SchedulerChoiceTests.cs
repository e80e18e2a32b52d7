namespace Diffusion.Models.Tests;

/// <summary>Values that some classes of diffusers have and others refuse (huggingface/diffusers, src/diffusers/schedulers).</summary>
public sealed class SchedulerChoiceTests
{
    [Theory]
    [InlineData("DDIMInverseScheduler", "timestep_spacing", "linspace")]
    [InlineData("EDMDPMSolverMultistepScheduler", "algorithm_type", "dpmsolver")]
    [InlineData("DDPMScheduler", "prediction_type", "flow_prediction")]
    [InlineData("DDPMParallelScheduler", "prediction_type", "flow_prediction")]
    [InlineData("DDIMScheduler", "prediction_type", "flow_prediction")]
    [InlineData("DDIMInverseScheduler", "prediction_type", "flow_prediction")]
    [InlineData("LCMScheduler", "prediction_type", "flow_prediction")]
    [InlineData("PNDMScheduler", "prediction_type", "sample")]
    [InlineData("EulerDiscreteScheduler", "prediction_type", "flow_prediction")]
    [InlineData("EulerAncestralDiscreteScheduler", "prediction_type", "sample")]
    [InlineData("HeunDiscreteScheduler", "prediction_type", "sample")]
    [InlineData("KDPM2DiscreteScheduler", "prediction_type", "sample")]
    [InlineData("KDPM2AncestralDiscreteScheduler", "prediction_type", "sample")]
    [InlineData("DPMSolverSDEScheduler", "prediction_type", "sample")]
    [InlineData("LMSDiscreteScheduler", "prediction_type", "flow_prediction")]
    [InlineData("EDMEulerScheduler", "prediction_type", "sample")]
    [InlineData("EDMDPMSolverMultistepScheduler", "prediction_type", "flow_prediction")]
    [InlineData("CosineDPMSolverMultistepScheduler", "prediction_type", "sample")]
    [InlineData("UnCLIPScheduler", "prediction_type", "v_prediction")]
    [InlineData("DDIMScheduler", "beta_schedule", "sigmoid")]
    [InlineData("DDPMScheduler", "beta_schedule", "exp")]
    [InlineData("EulerDiscreteScheduler", "beta_schedule", "laplace")]
    [InlineData("UniPCMultistepScheduler", "beta_schedule", "exp")]
    public void Parse_ValueOfOtherClasses_IsRefusedByName(string className, string key, string value)
    {
        var message = Wrong($$"""{"_class_name":"{{className}}","{{key}}":"{{value}}"}""");
        Assert.Contains($"{className}: \"{key}\" is \"{value}\"", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DPMSolverMultistepScheduler", "\"algorithm_type\":\"dpmsolver\",\"final_sigmas_type\":\"sigma_min\"", "\"algorithm_type\":\"dpmsolver++\"")]
    [InlineData("DPMSolverSinglestepScheduler", "\"algorithm_type\":\"dpmsolver\",\"final_sigmas_type\":\"sigma_min\"", "\"algorithm_type\":\"sde-dpmsolver++\"")]
    [InlineData("SASolverScheduler", "\"algorithm_type\":\"noise_prediction\"", "\"algorithm_type\":\"data_prediction\"")]
    [InlineData("UniPCMultistepScheduler", "\"predict_x0\":false", "\"predict_x0\":true")]
    public void Parse_FlowOfASolver_IsReadWhereItPredictsTheImage(string className, string noise, string image)
    {
        Assert.Contains("flow_prediction", Wrong($$"""{"_class_name":"{{className}}","prediction_type":"flow_prediction",{{noise}}}"""), StringComparison.Ordinal);
        Assert.Same(Parameterization.Flow, DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","prediction_type":"flow_prediction",{{image}}}""").Parameterization);
    }

    [Theory]
    [InlineData("DDPMScheduler", "sigmoid")]
    [InlineData("DDPMScheduler", "laplace")]
    [InlineData("HeunDiscreteScheduler", "exp")]
    public void Parse_BetasOfFewClasses_AreReadThere(string className, string schedule) =>
        Assert.Equal(1000, DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","beta_schedule":"{{schedule}}"}""").Schedule.Timesteps);

    [Fact]
    public void Parse_FormerNameOfTheImage_IsReadByEuler()
    {
        const string Json = """{"_class_name":"EulerDiscreteScheduler","prediction_type":"original_sample"}""";
        Assert.Same(Parameterization.Image, DiffusersScheduler.Parse(Json).Parameterization);
        Assert.Contains("original_sample", Wrong(Json.Replace("EulerDiscrete", "LMSDiscrete", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    /// <summary>set_alpha_to_one of DDIMInverseScheduler had another name once, which counts before it (scheduling_ddim_inverse.py, _deprecated_kwargs).</summary>
    [Theory]
    [InlineData("\"set_alpha_to_zero\":false", false)]
    [InlineData("\"set_alpha_to_zero\":true", true)]
    [InlineData("\"set_alpha_to_zero\":null", true)]
    [InlineData("\"set_alpha_to_zero\":false,\"set_alpha_to_one\":true", false)]
    [InlineData("\"set_alpha_to_one\":false", false)]
    public void Levels_InverseByItsFormerKey_BeginWhereItSays(string values, bool clean)
    {
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"DDIMInverseScheduler",{{values}}}""");
        Assert.Equal(clean ? NoiseLevel.Clean.Sigma : scheduler.Schedule.LevelAt(0).Sigma, scheduler.CreateSampler(10).Levels(scheduler.Schedule)[0].Sigma);
        Assert.Empty(scheduler.UnusedKeys);
        Assert.Equal(["set_alpha_to_zero", "clip_predicted_image"], DiffusersScheduler.Parse("""{"_class_name":"DDIMScheduler","set_alpha_to_zero":1,"clip_predicted_image":true}""").UnusedKeys);
    }

    /// <summary>Lu's spacing comes before that of a flow in diffusers, which then takes its σ for those of a flow all the same.</summary>
    [Fact]
    public void Parse_LuWithFlow_IsRefusedByName()
    {
        var message = Wrong("""{"_class_name":"DPMSolverMultistepScheduler","use_lu_lambdas":true,"use_flow_sigmas":true,"prediction_type":"flow_prediction"}""");
        Assert.Contains("\"use_lu_lambdas\" and \"use_flow_sigmas\" are true", message, StringComparison.Ordinal);
    }

    /// <summary>ᾱ of Float32 that comes to 0 before the end, or does not leave 1.</summary>
    [Theory]
    [InlineData("\"beta_end\":0.25", "\"beta_end\"")]
    [InlineData("\"beta_start\":1e-9,\"beta_end\":1e-8", "\"beta_start\"")]
    [InlineData("\"num_train_timesteps\":2,\"trained_betas\":[1e-9,1e-9]", "\"trained_betas\"")]
    public void Parse_BetasThatMakeNoTable_AreNamed(string values, string key)
    {
        var message = Wrong($$"""{"_class_name":"DDPMScheduler",{{values}}}""");
        Assert.Contains(key, message, StringComparison.Ordinal);
        Assert.Contains("single precision", message, StringComparison.Ordinal);
    }

    private static string Wrong(string json) => Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(json)).Message;
}
