using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Values that a scheduler cannot have are errors of Parse, which name the key, for every class that has it.</summary>
public sealed class SchedulerValueTests
{
    private static readonly (string Key, string Value, string[] Named)[] s_wrong =
    [
        ("beta_schedule", "\"quadratic\"", ["quadratic", "squaredcos_cap_v2"]),
        ("timestep_spacing", "\"sideways\"", ["sideways", "trailing"]),
        ("final_sigmas_type", "\"sigma_mean\"", ["sigma_mean", "sigma_min"]),
        ("interpolation_type", "\"cubic\"", ["cubic", "log_linear"]),
        ("prediction_type", "\"noise\"", ["noise", "epsilon"]),
        ("sigma_schedule", "\"linear\"", ["linear", "exponential"]),
        ("solver_type", "\"rk4\"", ["rk4", "midpoint"]),
        ("algorithm_type", "\"dpm3\"", ["dpm3", "this library reads"]),
        ("time_shift_type", "\"quadratic\"", ["quadratic", "exponential"]),
        ("timestep_type", "\"other\"", ["other", "discrete"]),
        ("variance_type", "\"small\"", ["small", "fixed_large"]),
        ("beta_schedule", "1", ["1", "text"]),
        ("prediction_type", "null", ["null", "text"]),
        ("timestep_spacing", "null", ["null", "text"]),
        ("solver_type", "[\"midpoint\"]", ["[\"midpoint\"]", "text"]),
        ("num_train_timesteps", "0", ["0", "from 1"]),
        ("num_train_timesteps", "-5", ["-5", "from 1"]),
        ("num_train_timesteps", "1e9", ["1e9"]),
        ("num_train_timesteps", "null", ["null", "whole number"]),
        ("num_train_timesteps", "\"1000\"", ["\"1000\"", "whole number"]),
        ("num_train_timesteps", "true", ["true", "whole number"]),
        ("num_train_timesteps", "Infinity", ["Infinity", "whole number"]),
        ("beta_start", "\"0.0001\"", ["\"0.0001\"", "number"]),
        ("beta_start", "true", ["true", "number"]),
        ("beta_start", "null", ["null", "number"]),
        ("beta_start", "NaN", ["NaN", "number"]),
        ("beta_end", "Infinity", ["Infinity", "number"]),
        ("beta_end", "-0.1", ["-0.1", "above 0"]),
        ("beta_end", "1.5", ["1.5", "at most 1"]),
        ("clip_sample", "\"true\"", ["\"true\"", "true or false"]),
        ("clip_sample", "1", ["1", "true or false"]),
        ("set_alpha_to_one", "0", ["0", "true or false"]),
        ("thresholding", "\"no\"", ["\"no\"", "true or false"]),
        ("use_karras_sigmas", "1", ["1", "true or false"]),
        ("clip_sample_range", "NaN", ["NaN", "number"]),
        ("sample_max_value", "[1]", ["[1]", "number"]),
        ("steps_offset", "0.5", ["0.5", "whole number"]),
        ("sigma_min", "\"-Infinity\"", ["-Infinity", "number"]),
        ("sigma_max", "-Infinity", ["-Infinity", "number"]),
        ("lambda_min_clipped", "NaN", ["NaN", "number"]),
        ("lambda_min_clipped", "Infinity", ["Infinity", "below"]),
        ("solver_order", "2.5", ["2.5", "whole number"]),
        ("solver_order", "0", ["rder"]),
        ("solver_p", "[\"diffusers\", \"DDIMScheduler\"]", ["scheduler"]),
        ("disable_corrector", "[0.5]", ["[0.5]", "whole numbers"]),
        ("disable_corrector", "3", ["3", "whole numbers"]),
        ("trained_betas", "[]", ["has 0 numbers", "num_train_timesteps", "1000"]),
        ("trained_betas", "[0.1,0.2]", ["has 2 numbers", "num_train_timesteps", "1000"]),
        ("trained_betas", "[[0.1]]", ["[[0.1]]", "list of numbers"]),
        ("trained_betas", "0.1", ["0.1", "list of numbers"]),
        ("trained_betas", "[NaN]", ["list of numbers"]),
        ("original_inference_steps", "0", ["0", "from 1"]),
        ("original_inference_steps", "1001", ["1001", "num_train_timesteps"]),
        ("timestep_scaling", "\"10\"", ["\"10\"", "number"]),
        ("sigma_data", "0", ["0"]),
        ("rho", "true", ["true", "number"]),
        ("shift", "\"3\"", ["\"3\"", "number"]),
        ("shift", "-1", ["-1"]),
        ("shift_terminal", "1", ["1", "[0, 1)"]),
        ("base_shift", "\"a\"", ["number"]),
    ];

    private static readonly (string Values, string[] Named)[] s_together =
    [
        ("\"timestep_spacing\":\"leading\",\"steps_offset\":1000", ["steps_offset", "1000"]),
        ("\"timestep_spacing\":\"leading\",\"steps_offset\":-1", ["steps_offset", "-1"]),
        ("\"use_karras_sigmas\":true,\"use_beta_sigmas\":true", ["use_karras_sigmas", "use_beta_sigmas"]),
        ("\"use_exponential_sigmas\":true,\"use_flow_sigmas\":true", ["use_exponential_sigmas", "use_flow_sigmas"]),
        ("\"use_karras_sigmas\":true,\"sigma_min\":2,\"sigma_max\":1", ["sigma_min", "sigma_max"]),
        ("\"use_karras_sigmas\":true,\"sigma_min\":0", ["sigma_min", "above 0"]),
        ("\"thresholding\":true,\"sample_max_value\":0.5", ["0.5"]),
        ("\"clip_sample\":true,\"clip_sample_range\":0", ["range", "0"]),
        ("\"use_flow_sigmas\":true,\"flow_shift\":null", ["flow_shift", "null"]),
        ("\"num_train_timesteps\":100,\"trained_betas\":[0.1]", ["trained_betas", "has 1 numbers", "num_train_timesteps", "100"]),
        ("\"beta_start\":0.01,\"beta_start\":0.01", ["uplicate"]),
    ];


    private static readonly string[] s_values =
    [
        "null", "true", "false", "0", "1", "-1", "2", "3", "0.5", "1e-3", "1e9", "100", "1e999", "-Infinity", "NaN", "\"\"", "[]", "[0]", "[0.1]", "{}", "\"linear\"", "\"leading\"", "\"trailing\"", "\"sigma_min\"",
        "\"log_linear\"", "\"sample\"", "\"v_prediction\"", "\"exponential\"", "\"heun\"", "\"bh1\"", "\"squaredcos_cap_v2\"", "\"sigmoid\"", "\"exp\"", "\"laplace\"", "\"epsilon\"", "\"fixed_large\"", "\"fixed_small_log\"", "\"dpmsolver\"", "\"sde-dpmsolver++\"",
    ];

    public static TheoryData<string, string, string> Wrong()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var className in DiffusersScheduler.ClassNames)
        {
            foreach (var (key, value, named) in s_wrong.Where(item => SchedulerKeys.Of(className).Contains(item.Key)))
            {
                data.Add(className, $"\"{key}\":{value}", string.Join('\n', named));
            }

            foreach (var (values, named) in s_together.Where(item => Keys(item.Values).All(SchedulerKeys.Of(className).Contains)))
            {
                data.Add(className, values, string.Join('\n', named));
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Parse_AWrongValue_IsAnErrorThatNamesIt(string className, string values, string named)
    {
        var message = Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}",{{values}}}""")).Message;
        Assert.All(named.Split('\n'), part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DDPMScheduler", "\"variance_type\":null,\"trained_betas\":null,\"thresholding\":null")]
    [InlineData("DDPMScheduler", "\"beta_schedule\":\"squaredcos_cap_v2\",\"beta_start\":null,\"beta_end\":-1")]
    [InlineData("DDIMScheduler", "\"beta_schedule\":\"custom\",\"num_train_timesteps\":2,\"trained_betas\":[0.1,0.2]")]
    [InlineData("EulerDiscreteScheduler", "\"sigma_min\":null,\"sigma_max\":null,\"use_karras_sigmas\":null")]
    [InlineData("EulerDiscreteScheduler", "\"sigma_min\":3,\"sigma_max\":1")]
    [InlineData("DPMSolverMultistepScheduler", "\"flow_shift\":null,\"lambda_min_clipped\":null,\"variance_type\":\"fixed_small\"")]
    [InlineData("DPMSolverMultistepScheduler", "\"lambda_min_clipped\":\"-inf\"")]
    [InlineData("UniPCMultistepScheduler", "\"solver_p\":null,\"shift_terminal\":null,\"disable_corrector\":[0,1]")]
    [InlineData("FlowMatchEulerDiscreteScheduler", "\"shift_terminal\":null,\"base_image_seq_len\":256")]
    public void Parse_WhatDiffusersTakes_IsRead(string className, string values) =>
        Assert.Empty(DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}",{{values}}}""").UnusedKeys);

    [Fact]
    public void Parse_NullForAFlag_IsFalse()
    {
        Assert.Equal(ImageLimit.None, Limit("null"));
        Assert.Equal(ImageLimit.None, Limit("false"));
        Assert.NotEqual(ImageLimit.None, Limit("true"));

        static ImageLimit Limit(string value) => SchedulerSamplers.Limit(SchedulerConfig.Parse($$"""{"_class_name":"DDPMScheduler","clip_sample":{{value}}}""", null, null));
    }

    [Theory]
    [InlineData("DPMSolverMultistepScheduler", "solver_type", "midpoint", "logrho", "bh1", "bh2")]
    [InlineData("EDMDPMSolverMultistepScheduler", "solver_type", "midpoint", "logrho", "bh1", "bh2")]
    [InlineData("UniPCMultistepScheduler", "solver_type", "bh2", "midpoint", "heun", "logrho")]
    [InlineData("DPMSolverMultistepScheduler", "algorithm_type", "dpmsolver++", "deis")]
    public void Parse_NamesOfTheOtherSolvers_AreTheDefault(string className, string key, string itself, params string[] others)
    {
        using var scope = NewDisposeScope();
        var expected = Last(itself);
        Assert.All(others, other => TensorAssert.Close(expected, Last(other), 0, 0, other));
        if (key == "solver_type")
        {
            var apart = (expected - Last(className.StartsWith("UniPC", StringComparison.Ordinal) ? "bh1" : "heun")).abs().max().item<float>();
            Assert.True(apart > 1e-4, $"{apart}");
        }

        Tensor Last(string value)
        {
            var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","{{key}}":"{{value}}","final_sigmas_type":"sigma_min"}""");
            using var noise = new SeededNoise(1);
            return scheduler.CreateSampler(6).Continue(new FunctionDenoiser(scheduler.Schedule, (noisy, level) => (noisy * level.Alpha).sin()), ones(1, 1, 1, 2), noise);
        }
    }

    [Fact]
    public void Parse_MoreBetasThanTimesteps_AreReadAndSample()
    {
        foreach (var className in DiffusersScheduler.ClassNames.Where(name => SchedulerKeys.Of(name).Contains("trained_betas") && name != "IPNDMScheduler")) // whose levels depend on the number of steps
        {
            var betas = string.Join(',', Enumerable.Range(1, 120).Select(i => FormattableString.Invariant($"{i * 2e-4}")));
            var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","num_train_timesteps":100,"trained_betas":[{{betas}}]}""");
            Assert.Equal(120, scheduler.Schedule.Timesteps);
            Assert.Null(Failure(scheduler, 10));
        }
    }

    /// <summary>What Parse reads, samples: single values of every kind under every key of every class, and sets of them.</summary>
    [Theory]
    [MemberData(nameof(Classes))]
    public void Parse_WhateverItReads_Samples(string className)
    {
        string[] keys = [.. SchedulerKeys.Of(className).Order(StringComparer.Ordinal)];
        var random = new Random(7);
        var texts = keys.SelectMany(key => s_values.Select(value => $"\"{key}\":{value}")).ToList();
        texts.AddRange(Enumerable.Range(0, 300).Select(_ => string.Join(',', random.GetItems(keys, 4).Distinct().Select(key => $"\"{key}\":{random.GetItems(s_values, 1)[0]}"))));
        var (read, failed) = (0, new List<string>());
        foreach (var text in texts)
        {
            DiffusersScheduler scheduler;
            try
            {
                scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}",{{text}}}""");
                read++;
            }
            catch (InvalidDataException)
            {
                continue;
            }

            // How many steps there are depends on the first; an offset may leave no room for them, which is said.
            var steps = Math.Min(text.Contains("original_inference_steps", StringComparison.Ordinal) ? 1 : 2, scheduler.Schedule.Timesteps);
            var failure = Failure(scheduler, steps);
            var isOffset = failure?.Contains("\"steps_offset\" is", StringComparison.Ordinal) == true && failure.Contains($"{steps} steps", StringComparison.Ordinal);
            failed.AddRange(failure is null || isOffset ? [] : [$"{text}: {failure}"]);
        }

        Assert.True(failed.Count == 0, string.Join(Environment.NewLine, failed));
        Assert.InRange(read, Math.Min(20, 3 * keys.Length), texts.Count - 1);
    }

    public static TheoryData<string> Classes() => [.. DiffusersScheduler.ClassNames];

    private static string? Failure(DiffusersScheduler scheduler, int steps)
    {
        using var scope = NewDisposeScope();
        using var noise = new SeededNoise(1);
        try
        {
            var denoiser = new FunctionDenoiser(scheduler.Schedule, (noisy, _) => noisy * 0.5);
            scheduler.CreateSampler(steps, mu: 1).Continue(denoiser, ones(1, 1, 1, 2), noise);
            return null;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or InvalidDataException)
        {
            return error.Message;
        }
    }

    private static IEnumerable<string> Keys(string values) => values.Split(',').Where(part => part.Contains(':', StringComparison.Ordinal)).Select(part => part.Split('"')[1]);
}
