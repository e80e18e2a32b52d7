using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Files as diffusers saves them after <c>from_config</c> of another class's configuration, and what diffusers draws with them (huggingface/diffusers, commit 58eb52c).</summary>
public sealed class SchedulerFileTests
{
    private const string Area = "diffusers_configs";

    public static TheoryData<string> Recorded() => [.. Golden.Cases(Area)];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Parse_AFileThatDiffusersSaved_DrawsWhatDiffusersDraws(string name)
    {
        using var scope = NewDisposeScope();
        var recorded = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden.Folder, name, "case.json")))!;
        var scheduler = DiffusersScheduler.Parse(File.ReadAllText(Path.Combine(Golden.Folder, name, "scheduler_config.json")));

        var (x, asked) = Draw(scheduler);

        // A last step between equal levels changes nothing.
        double[] timesteps = [.. recorded["timesteps"]!.AsArray().Select(value => value!.GetValue<double>())];
        Assert.InRange(asked.Count, timesteps.Length - (scheduler.ClassName == "PNDMScheduler" ? 1 : 0), timesteps.Length);
        Assert.Equal(timesteps[..asked.Count], asked);
        TensorAssert.Close(tensor(recorded["x"]!.AsArray().Select(value => value!.GetValue<double>()).ToArray()), x, recorded["tolerance"]!["atol"]!.GetValue<double>(), 0, name);
    }

    [Theory]
    [InlineData("euler_of_ddpm", "clip_sample clip_sample_range dynamic_thresholding_ratio sample_max_value thresholding variance_type")]
    [InlineData("pndm_of_ddpm", "clip_sample clip_sample_range dynamic_thresholding_ratio rescale_betas_zero_snr sample_max_value thresholding variance_type")]
    [InlineData("heun_of_zero_snr_euler", "final_sigmas_type interpolation_type rescale_betas_zero_snr sigma_max sigma_min timestep_type")]
    [InlineData("dpm_minus_infinity", "")]
    public void UnusedKeys_OfAFileOfAnotherClass_AreThoseThatTheClassHasNot(string name, string expected) =>
        Assert.Equal(expected, string.Join(' ', DiffusersScheduler.Parse(File.ReadAllText(Path.Combine(Golden.Folder, Area, name, "scheduler_config.json"))).UnusedKeys));

    [Fact]
    public void Parse_DdimMadeOfADpmSolver_IsTheDdimWithoutItsKeys()
    {
        var kept = JsonNode.Parse("""
            {"_class_name":"DDIMScheduler","algorithm_type":"dpmsolver++","beta_end":0.02,"beta_schedule":"linear","beta_start":0.0001,"clip_sample":true,"clip_sample_range":1.0,"euler_at_final":false,
            "final_sigmas_type":"zero","flow_shift":1.0,"lower_order_final":true,"num_train_timesteps":1000,"prediction_type":"epsilon","rescale_betas_zero_snr":false,"set_alpha_to_one":true,"solver_order":2,
            "solver_type":"midpoint","steps_offset":0,"time_shift_type":"exponential","timestep_spacing":"linspace","trained_betas":null,"use_beta_sigmas":false,"use_flow_sigmas":false,"use_karras_sigmas":true,
            "use_lu_lambdas":false,"variance_type":null}
            """)!.ToJsonString();
        using var scope = NewDisposeScope();
        var made = DiffusersScheduler.Parse(kept[..^1] + ",\"lambda_min_clipped\": -Infinity}");
        var plain = DiffusersScheduler.Parse("""{"_class_name":"DDIMScheduler","timestep_spacing":"linspace"}""");
        Assert.Equal(plain.CreateSampler(10).Levels(plain.Schedule), made.CreateSampler(10).Levels(made.Schedule));
        TensorAssert.Close(Draw(plain).X, Draw(made).X, 0, 0, "x");
        Assert.Contains("lambda_min_clipped", made.UnusedKeys);
        Assert.DoesNotContain("clip_sample", made.UnusedKeys);
    }

    /// <summary>The value of another class's key is not read, whatever it is.</summary>
    [Theory]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    [InlineData("\"rk4\"")]
    [InlineData("[[[]]]")]
    [InlineData("{\"a\": {\"a\": null}}")]
    [InlineData("1e999")]
    [InlineData("\"\\ud800\"")]
    public void Parse_AKeyOfAnotherClass_IsNotRead(string value)
    {
        string[] keys = ["solver_type", "num_vec_classes", "interpolation_type", "thresholding", "tensor_format", "algorithm_type", "solver_p", "timestep_type", "rescale_betas_zero_snr", "sigma_max", "tau_func"];
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"PNDMScheduler",{{string.Join(',', keys.Select(key => $"\"{key}\":{value}"))}}}""");
        Assert.Equal(keys, scheduler.UnusedKeys);
    }

    /// <summary>The ramps of diffusers look into the whole file for their ends, in classes whose constructors have none.</summary>
    [Theory]
    [InlineData("HeunDiscreteScheduler", "use_karras_sigmas", true)]
    [InlineData("HeunDiscreteScheduler", "use_exponential_sigmas", true)]
    [InlineData("DPMSolverMultistepScheduler", "use_karras_sigmas", true)]
    [InlineData("DPMSolverMultistepScheduler", "use_lu_lambdas", false)]
    [InlineData("LMSDiscreteScheduler", "use_karras_sigmas", false)]
    [InlineData("LMSDiscreteScheduler", "use_exponential_sigmas", true)]
    [InlineData("HeunDiscreteScheduler", "clip_sample", false)]
    public void Parse_EndsOfARamp_CountWhereDiffusersReadsThem(string className, string ramp, bool counts)
    {
        var scheduler = DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","{{ramp}}":true,"sigma_min":0.1,"sigma_max":20}""");
        var plain = DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","{{ramp}}":true}""");
        var levels = scheduler.CreateSampler(8).Levels(scheduler.Schedule);
        var first = plain.CreateSampler(8).Levels(plain.Schedule)[0].Ratio;
        Assert.Equal(counts ? 20 : first, levels[0].Ratio, 1e-6 * first);
        Assert.Equal(counts ? 0 : 2, scheduler.UnusedKeys.Count);
    }

    [Theory]
    [InlineData("""{"_class_name":"DDPMScheduler","predict_epsilon":false}""", "Image")]
    [InlineData("""{"_class_name":"DDPMScheduler","predict_epsilon":true}""", "Epsilon")]
    [InlineData("""{"_class_name":"DDPMScheduler","predict_epsilon":null,"prediction_type":"v_prediction"}""", "Velocity")]
    [InlineData("""{"_class_name":"DPMSolverMultistepScheduler","predict_epsilon":false,"prediction_type":"sample"}""", "Image")]
    [InlineData("""{"_class_name":"EulerDiscreteScheduler","predict_epsilon":false}""", "Image")]
    public void Parse_PredictEpsilon_IsThePredictionOfOldFiles(string json, string expected)
    {
        var scheduler = DiffusersScheduler.Parse(json);
        Assert.Same(typeof(Parameterization).GetProperty(expected)!.GetValue(null), scheduler.Parameterization);
        Assert.Empty(scheduler.UnusedKeys);
    }

    [Theory]
    [InlineData("""{"_class_name":"DDPMScheduler","predict_epsilon":false,"prediction_type":"epsilon"}""")]
    [InlineData("""{"_class_name":"DDIMScheduler","predict_epsilon":true,"prediction_type":"v_prediction"}""")]
    public void Parse_PredictEpsilonAgainstPredictionType_IsAnErrorThatNamesBoth(string json)
    {
        var message = Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(json)).Message;
        Assert.Contains("predict_epsilon", message, StringComparison.Ordinal);
        Assert.Contains("prediction_type", message, StringComparison.Ordinal);
        Assert.Equal(json.Contains("v_prediction", StringComparison.Ordinal) ? Parameterization.Velocity : Parameterization.Epsilon, DiffusersScheduler.Parse(json, ["predict_epsilon"]).Parameterization);
    }

    [Fact]
    public void Parse_IgnoredKeys_AreAsIfTheyWereNotThere()
    {
        const string Json = """{"_class_name":"DDPMScheduler","_note":{"a":1},"my_key":[1,2],"other":3,"clip_sample":"x","solver_order":2}""";
        var message = Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(Json, ["other"])).Message;
        Assert.Contains("\"my_key\" ([1,2])", message, StringComparison.Ordinal);
        Assert.Contains("ignoredKeys", message, StringComparison.Ordinal);
        Assert.DoesNotContain("other", message, StringComparison.Ordinal);
        Assert.DoesNotContain("_note", message, StringComparison.Ordinal);
        Assert.Contains("clip_sample", Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse(Json, ["other", "my_key"])).Message, StringComparison.Ordinal);

        var scheduler = DiffusersScheduler.Parse(Json, ["other", "my_key", "clip_sample", "not there"]);
        Assert.Equal(["solver_order"], scheduler.UnusedKeys);
        Assert.Equal("DDPMScheduler", DiffusersScheduler.Parse("""{"_class_name":"DDPMScheduler"}""", ["_class_name"]).ClassName);
    }

    [Theory]
    [InlineData("PiflowScheduler")]
    [InlineData("RFD4ProteinaScheduler")]
    [InlineData("SomeoneElsesScheduler")]
    public void Parse_AClassThatCannotBeRead_IsRefusedByNameBeforeItsKeys(string className)
    {
        var message = Assert.Throws<InvalidDataException>(() => DiffusersScheduler.Parse($$"""{"_class_name":"{{className}}","num_train_timesteps":"x","unknown":1}""")).Message;
        Assert.Contains($"\"{className}\"", message, StringComparison.Ordinal);
        Assert.All(DiffusersScheduler.ClassNames, known => Assert.Contains(known, message, StringComparison.Ordinal));
    }

    /// <summary>Numbers that JSON does not have in any of the three files, and keys to ignore, through the folder.</summary>
    [Fact]
    public void Load_AFolderAsPythonWritesIt_IsRead()
    {
        using var golden = Golden.Case("diffusers_pipeline/ddpm_pipeline_16");
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(golden.File("pipeline"), "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder.Path, Path.GetRelativePath(golden.File("pipeline"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        Add("model_index.json", "\"_threshold\": Infinity");
        Add("unet/config.json", "\"_scale\": [NaN, -Infinity]");
        Add("scheduler/scheduler_config.json", "\"lambda_min_clipped\": -Infinity, \"my_key\": NaN");

        var message = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(folder.Path)).Message;
        Assert.Contains("scheduler_config.json", message, StringComparison.Ordinal);
        Assert.Contains("\"my_key\"", message, StringComparison.Ordinal);
        using var pipeline = DiffusersPipeline.Load(folder.Path, ["my_key"]);
        Assert.Equal(["lambda_min_clipped"], pipeline.Scheduler.UnusedKeys);
        Assert.Equal(["lambda_min_clipped"], DiffusersFolder.Read(folder.Path).CreateScheduler(["my_key"]).UnusedKeys);

        void Add(string file, string entries)
        {
            var text = File.ReadAllText(Path.Combine(folder.Path, file));
            File.WriteAllText(Path.Combine(folder.Path, file), $"{text[..text.LastIndexOf('}')].TrimEnd()},\n  {entries}\n}}\n");
        }
    }

    /// <summary>Every recorded configuration of a class has the keys of its constructor and no other; former ones apart, which no file is written with.</summary>
    [Fact]
    public void Of_RecordedClasses_AreTheKeysOfTheirConstructors()
    {
        var (checkedClasses, wrong) = (new HashSet<string>(StringComparer.Ordinal), new List<string>());
        foreach (var name in new[] { "diffusers_schedulers", "diffusers_schedulers_2", "few_step" }.SelectMany(Golden.Cases))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Golden.Folder, name, "case.json")));
            var className = json.RootElement.GetProperty("peer").GetProperty("class").GetString()!.Split('.')[^1];
            if (!json.RootElement.TryGetProperty("full_config", out var config) || !SchedulerKeys.ClassNames.Contains(className))
            {
                continue;
            }

            var expected = config.EnumerateObject().Select(entry => entry.Name).Where(key => key[0] != '_').Order(StringComparer.Ordinal);
            var actual = SchedulerKeys.Of(className).Except([SchedulerKeys.PredictEpsilon, SchedulerKeys.AlphaToZero]).Order(StringComparer.Ordinal);
            wrong.AddRange(expected.SequenceEqual(actual) ? [] : [$"{name}: {string.Join(' ', expected)} here {string.Join(' ', actual)}"]);
            checkedClasses.Add(className);
        }

        Assert.Empty(wrong);
        Assert.Equal(DiffusersScheduler.ClassNames.Append("RePaintScheduler").Order(StringComparer.Ordinal), checkedClasses.Order(StringComparer.Ordinal));
        Assert.All(DiffusersScheduler.ClassNames, className => Assert.Contains(className, SchedulerKeys.ClassNames));
    }

    /// <summary>Ten steps from 48 values between −1.7 and 1.9 without noise, with the network of the recording: the result, and the timesteps of its calls.</summary>
    private static (Tensor X, IReadOnlyList<double> Asked) Draw(DiffusersScheduler scheduler)
    {
        using var network = new Formula();
        using var noise = new NoNoise();
        using var start = linspace(-1.7, 1.9, 48, ScalarType.Float32).view(1, 3, 4, 4);
        var result = scheduler.CreateSampler(10).Continue(scheduler.Denoiser(network), start, noise);
        return (result.to(ScalarType.Float64).flatten(), network.Asked);
    }

    private sealed class Formula() : nn.Module<Tensor, Tensor, Tensor>(nameof(Formula))
    {
        public List<double> Asked { get; } = [];

        public override Tensor forward(Tensor noisy, Tensor timesteps)
        {
            var t = timesteps[0].to(ScalarType.Float64).item<double>();
            Asked.Add(t);
            var s = t / 1000;
            var k = (10 * s * s) + (0.1 * s);
            var x = noisy.to(ScalarType.Float64);
            return ((Math.Sqrt(1 - Math.Exp(-k)) * x) + (0.3 * Math.Exp(-k / 2) * sin((3 * x) + (2 * s)))).to(noisy.dtype);
        }
    }

    private sealed class NoNoise : NoiseSource
    {
        public override Tensor Draw(ReadOnlySpan<long> shape, Device device) => zeros(shape.ToArray(), device: device);
    }
}
