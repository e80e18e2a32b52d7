using Diffusion.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Diffusion.Configuration.Tests;

public sealed class RunConfigurationTests
{
    private const string Minimal = """{ "data": { "path": "mnist" }, "model": { "down": [ { "channels": 32 } ] } }""";

    [Fact]
    public void Parse_Minimal_FillsInTheDefaults()
    {
        var options = RunConfiguration.Parse(Minimal);
        Assert.Equal(32, options.Model.Down.Single().Channels);
        Assert.Equal(2, options.Model.Down.Single().Layers);
        Assert.Equal(64, options.Training.BatchSize);
        Assert.Equal(1000, options.Diffusion.CreateSchedule().Timesteps);
        Assert.Same(Parameterization.Epsilon, options.Diffusion.CreateParameterization());
    }

    [Fact]
    public void Load_CourseConfiguration_IsTheCoursesNetworkAndTraining()
    {
        var options = RunConfiguration.Load(Path.Combine(Samples(), "configs", "mnist-course.json"));
        var expected = UNetPresets.Course(new ImageShape(1, 28, 28));
        var actual = options.ModelForData();
        Assert.Equal(expected.Down, actual.Down);
        Assert.Equal(expected.Mid, actual.Mid);
        Assert.Equal(expected.Up.Select(block => (block.Channels, block.Layers, block.Attention, block.Heads)), actual.Up.Select(block => (block.Channels, block.Layers, block.Attention, block.Heads)));
        Assert.Equal(expected with { Down = [], Mid = [], Up = [] }, actual with { Down = [], Mid = [], Up = [] });
        Assert.Equal((64, 1e-4, 40), (options.Training.BatchSize, options.Training.LearningRate, options.Training.Epochs));
        Assert.Equal((1000, 1e-4, 0.02), (options.Diffusion.Timesteps, options.Diffusion.BetaStart, options.Diffusion.BetaEnd));
        Assert.Equal(Path.Combine(Samples(), "data", "mnist"), options.Data.Path);
    }

    [Fact]
    public void Save_Options_AreReadBackAndReplacedAsAWhole()
    {
        using var folder = new TemporaryFolder();
        var options = RunConfiguration.Parse(Minimal);
        var path = folder.File(Path.Combine("new", "config.json"));
        RunConfiguration.Save(path, options);
        Assert.Equal(RunConfiguration.ToJson(options), File.ReadAllText(path));
        RunConfiguration.Save(path, options with { Training = options.Training with { Steps = 7 } });
        Assert.Equal(7, RunConfiguration.Load(path).Training.Steps);
        Assert.Equal([path], Directory.GetFiles(folder.File("new")));
        Assert.Contains("is a folder", Assert.Throws<IOException>(() => RunConfiguration.Save(folder.File("new"), options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NamedPipe_IsRefusedAndNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes in folders");
        using var folder = new TemporaryFolder();
        var path = NamedPipe.At(folder.File("run.json"));
        Assert.Equal($"'{path}' is a named pipe; a file is needed.", Assert.Throws<InvalidDataException>(() => RunConfiguration.Load(path)).Message);
    }

    [Fact]
    public void Load_ConfigurationsOfTheSamples_HaveNoMistakes() =>
        Assert.All(Directory.GetFiles(Path.Combine(Samples(), "configs"), "*.json"), path => Assert.Empty(RunConfiguration.Load(path).Validate()));

    [Theory]
    [InlineData("mnist-diffusers.json")]
    [InlineData("pictures.json")]
    public void Load_DiffusersConfiguration_IsANetworkOfDiffusers(string file)
    {
        var options = RunConfiguration.Load(Path.Combine(Samples(), "configs", file)).ModelForData();
        var read = DiffusersUNet.Parse(DiffusersUNet.Of(options).ToJson()).Options;
        Assert.Equal(UNetSummary.Of(options).Parameters, UNetSummary.Of(read).Parameters);
    }

    [Fact]
    public void Parse_GuidanceInAnInterval_IsGuidanceOfThoseLevels()
    {
        const string Labelled = """ "data": { "path": "mnist" }, "model": { "down": [ { "channels": 32 } ], "dialect": { "labels": { "classes": 11 } } } """;
        Assert.Equal(new GuidanceOptions { Scale = 2 }, RunConfiguration.Parse($$"""{ {{Labelled}}, "sampling": { "guidance": 2 } }""").Sampling.CreateGuidance());
        var options = RunConfiguration.Parse($$"""{ {{Labelled}}, "sampling": { "guidance": 2, "guidanceSigmaMin": 0.3, "guidanceSigmaMax": 4 } }""");
        Assert.Equal(new GuidanceOptions { Scale = 2, SigmaMin = 0.3, SigmaMax = 4 }, options.Sampling.CreateGuidance());
        Assert.Equal(options.Sampling, RunConfiguration.Parse(RunConfiguration.ToJson(options)).Sampling);
        var errors = Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse($$"""{ {{Labelled}}, "sampling": { "guidanceSigmaMin": -1, "guidanceSigmaMax": -2 } }""")).Failures;
        Assert.Equal(
            ["sampling.guidanceSigmaMin must be at least 0; it is -1.", "sampling.guidanceSigmaMax must be a finite number above guidanceSigmaMin, -1, or absent; it is -2."], errors);
    }

    [Fact]
    public void Parse_Dialect_BindsEveryPartAndGoesBack()
    {
        const string json = """
            {
              "data": { "path": "mnist" },
              "model": {
                "down": [ { "channels": 32, "downsampling": "residual" }, { "channels": 64, "attention": true } ], "mid": [ { "channels": 64, "outputScale": 1.5, "attentionGroups": 0 } ],
                "timeDimension": 128, "downsampling": "convolution3BottomRight", "upsampling": "nearestOnly",
                "dialect": {
                  "residual": { "normEps": 1e-6, "activation": "mish", "timeInjection": "scaleShift", "dropout": 0.1 },
                  "attention": { "headWidth": 16, "projection": "separate" },
                  "time": { "kind": "sinusoidal", "width": 32, "order": "cosineFirst", "frequencyShift": 1 },
                  "skips": "layer", "centerInput": true
                }
              }
            }
            """;
        var options = RunConfiguration.Parse(json);
        Assert.Equal(new ResidualOptions { NormEps = 1e-6, Activation = Activation.Mish, TimeInjection = TimeInjection.ScaleShift, Dropout = 0.1 }, options.Model.Dialect.Residual);
        Assert.Equal(new TimeEmbeddingOptions { Width = 32, Order = WaveOrder.CosineFirst, FrequencyShift = 1 }, options.Model.Dialect.Time);
        Assert.Equal((Downsampling.Residual, 0, SkipConnections.Layer), (options.Model.Down[0].Downsampling, options.Model.Mid[0].AttentionGroups, options.Model.Dialect.Skips));
        Assert.Equal(RunConfiguration.ToJson(options), RunConfiguration.ToJson(RunConfiguration.Parse(RunConfiguration.ToJson(options))));
        using var network = options.CreateNetwork();
        Assert.Equal(network.Options.Dialect, options.Model.Dialect);
    }

    [Theory]
    [InlineData("\"dialect\": { \"labels\": { \"kind\": \"identity\" } }", "model.dialect.labels must be a table")]
    [InlineData("\"dialect\": { \"context\": { \"channels\": 64 } }", "model.dialect.context must be null")]
    [InlineData("\"dialect\": { \"extraChannels\": 1 }", "model.dialect must have no extra channels")]
    [InlineData("\"dialect\": { \"residual\": { \"dropout\": 2 } }", "model.dialect.residual.dropout must be in [0, 1); it is 2.")]
    [InlineData("\"dialect\": { \"residual\": { \"droput\": 2 } }", "model.dialect.residual.droput")]
    [InlineData("\"dialect\": { \"skips\": \"never\" }", "model.dialect.skips")]
    public void Parse_WrongDialect_NamesThePath(string part, string expected)
    {
        var json = $$"""{ "data": { "path": "mnist" }, "model": { "down": [ { "channels": 32 } ], {{part}} } }""";
        Assert.Contains(expected, string.Join("\n", Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json)).Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_ThenParse_GivesTheSameRun()
    {
        var options = RunConfiguration.Load(Path.Combine(Samples(), "configs", "mnist-course.json"));
        Assert.Equal(RunConfiguration.ToJson(options), RunConfiguration.ToJson(RunConfiguration.Parse(RunConfiguration.ToJson(options))));
    }

    [Fact]
    public void Parse_Precision_BindsAndGoesBack()
    {
        var options = RunConfiguration.Parse("""{ "data": { "path": "mnist" }, "model": { "down": [ { "channels": 32 } ] }, "training": { "precision": "bFloat16" } }""");
        Assert.Equal(ComputePrecision.BFloat16, options.Training.Precision);
        Assert.Contains("\"precision\": \"bFloat16\"", RunConfiguration.ToJson(options), StringComparison.Ordinal);
        Assert.Equal(ComputePrecision.BFloat16, RunConfiguration.Parse(RunConfiguration.ToJson(options)).Training.Precision);
        Assert.Equal(ComputePrecision.Float32, RunConfiguration.Parse(Minimal).Training.Precision);
    }

    [Fact]
    public void Parse_UnknownKeysAndWrongKinds_ListsEveryOneWithPathAndValue()
    {
        const string json = """
            {
              "data": { "path": "mnist", "kind": "imagenet" },
              "modle": { "down": [] },
              "model": { "down": [ { "channels": "wide", "attenton": true } ], "mid": 3 },
              "training": { "learningRate": "fast", "steps": 1.5, "optimizer": "adam", "ema": { "warmUp": "maybe" }, "checkpoints": { "folder": "x" } }
            }
            """;
        var failures = Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json)).Failures.ToList();
        foreach (var expected in new[]
        {
            "data.kind must be one of mnist, folder, textures; it is 'imagenet'.",
            "modle is not an option; there are data, model, diffusion, objective, training, sampling, watch.",
            "model.down[0].channels must be a whole number of at most 2147483647; it is 'wide'.",
            "model.down[0].attenton is not an option",
            "model.mid must be a list; it is '3'.",
            "training.learningRate must be a number; it is 'fast'.",
            "training.steps must be a whole number of at most 2147483647; it is '1.5'.",
            "training.optimizer must be an object; it is 'adam'.",
            "training.ema.warmUp must be true or false; it is 'maybe'.",
            "training.checkpoints.folder is not an option",
        })
        {
            Assert.Contains(failures, failure => failure.StartsWith(expected, StringComparison.Ordinal));
        }

        Assert.Equal(10, failures.Count);
    }

    [Fact]
    public void Parse_ValuesThatDoNotFit_ListsEveryOneWithPathAndValue()
    {
        const string json = """
            {
              "data": { "path": "", "channels": 2 },
              "model": { "down": [ { "channels": 30 } ] },
              "diffusion": { "timesteps": 100, "betaStart": 0.1, "prediction": "noise" },
              "training": { "batchSize": 0, "steps": 10, "epochs": 2 },
              "sampling": { "steps": 200, "count": 0 },
              "watch": { "previewEvery": 0, "validationImages": -1 }
            }
            """;
        var failures = Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(json)).Failures.ToList();
        foreach (var expected in new[]
        {
            "data.path must be a folder; it is empty.",
            "data.channels must be 1 (grey) or 3 (RGB); it is 2.",
            "model.down[0].channels must be a positive multiple of normGroups, 8; it is 30.",
            "diffusion.betaStart goes with betaEnd: give both or neither; they are 0.1 and absent.",
            "diffusion.prediction must be one of epsilon, image, velocity, flow, karras; it is 'noise'.",
            "training.batchSize must be at least 1; it is 0.",
            "training.epochs excludes steps; steps is 10 and epochs is 2.",
            "sampling.count must be at least 1; it is 0.",
            "sampling.steps must be at most diffusion.timesteps, 100; it is 200.",
            "watch.previewEvery must be at least 1; it is 0.",
            "watch.validationImages must be at least 1; it is -1.",
        })
        {
            Assert.Contains(expected, failures);
        }
    }

    [Fact]
    public void Parse_WrongNames_ListTheRightOnes()
    {
        var failures = Failures("""
            "diffusion": { "schedule": "lineal", "betaStart": 0.1, "betaEnd": 0.2 }, "sampling": { "sampler": "ddin", "spacing": "evenly" }
            """);
        foreach (var expected in new[]
        {
            $"diffusion.schedule must be one of {string.Join(", ", NoiseSchedule.Names)}; it is 'lineal'.",
            "diffusion.betaStart and betaEnd are for the schedule linear; they are 0.1 and 0.2 for 'lineal'.",
            $"sampling.sampler must be one of {string.Join(", ", Sampler.Names)}; it is 'ddin'.",
            $"sampling.spacing must be one of {string.Join(", ", StepSpacing.All)}; it is 'evenly'.",
        })
        {
            Assert.Contains(expected, failures);
        }

        Assert.Equal(4, failures.Count);
    }

    [Theory]
    [InlineData(""" "diffusion": { "schedule": "linear-zero-snr" } """, "diffusion.prediction 'epsilon' says nothing about the image")]
    [InlineData(""" "diffusion": { "schedule": "linear-zero-snr", "timesteps": 5, "prediction": "flow" } """, "diffusion.schedule 'linear-zero-snr' with 5 timesteps cannot be made: ")]
    [InlineData(""" "sampling": { "sampler": "lcm", "steps": 80 } """, "sampling does not fit diffusion: ")]
    [InlineData(""" "sampling": { "sampler": "lcm", "steps": 8 }, "watch": { "previewEvery": 5, "previewSteps": 80 } """, "watch.previewSteps does not fit sampling and diffusion: ")]
    [InlineData(""" "sampling": { "sampler": "lcm", "steps": 8 }, "watch": { "evaluateEvery": 5, "evaluationSteps": 80 } """, "watch.evaluationSteps does not fit sampling and diffusion: ")]
    public void Parse_ChoicesThatDoNotGoTogether_SaysSo(string sections, string expected) => Assert.StartsWith(expected, Failures(sections).Single(), StringComparison.Ordinal);

    [Fact]
    public void Create_EveryName_MakesItWhateverTheCase()
    {
        foreach (var name in NoiseSchedule.Names)
        {
            var options = new DiffusionOptions { Schedule = name.ToUpperInvariant(), Prediction = "Flow" };
            Assert.Empty(options.Validate());
            Assert.Equal(NoiseSchedule.Create(name).LevelAt(700), options.CreateSchedule().LevelAt(700));
        }

        Assert.All(Parameterization.All, each => Assert.Equal(each, new DiffusionOptions { Prediction = each.Name }.CreateParameterization()));
        var schedule = new LinearNoiseSchedule();
        foreach (var name in Sampler.Names)
        {
            var options = new SamplingOptions { Sampler = name.ToUpperInvariant(), Steps = 10, Spacing = "Leading" };
            Assert.Empty(options.Validate());
            Assert.Equal(Sampler.Create(name).GetType(), options.CreateSampler().GetType());
            Assert.Equal(Sampler.Create(name, 10, StepSpacing.Leading).Levels(schedule), options.CreateSampler().Levels(schedule));
        }
    }

    [Fact]
    public void Limit_Clip_IsTheDefault()
    {
        using var noisy = TorchSharp.torch.full(1, 1, 2, 2, 5f);
        var denoiser = new FunctionDenoiser(new LinearNoiseSchedule(), (x, _) => x * 2);
        using var clipped = new SamplingOptions { Sampler = "ddim" }.Limit(denoiser).Denoise(noisy, NoiseLevel.Clean);
        Assert.Equal(1, clipped.max().item<float>());
        Assert.Same(denoiser, new SamplingOptions { Sampler = "ddim", Clip = false }.Limit(denoiser));
    }

    [Fact]
    public void Parse_NotJson_SaysWhere() =>
        Assert.Contains("(line 2, byte 10): ", Assert.Throws<InvalidDataException>(() => RunConfiguration.Parse("{\n \"data\": oops }")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Model.Down[1].Channels", "must be a positive multiple of NormGroups, 32; it is 48.", "model.down[1].channels must be a positive multiple of normGroups, 32; it is 48.")]
    [InlineData("Watch.PreviewSteps", "must be at most Diffusion.Timesteps, 10; it is 20.", "watch.previewSteps must be at most diffusion.timesteps, 10; it is 20.")]
    [InlineData("Training.Epochs", "excludes Steps; Steps is 1 and Epochs is 2.", "training.epochs excludes steps; steps is 1 and epochs is 2.")]
    [InlineData("Sampling.Sampler", "must be a name, or absent; it is 'Steps'. Data of MNIST, Karras", "sampling.sampler must be a name, or absent; it is 'Steps'. Data of MNIST, Karras")]
    public void InFile_Mistake_HasTheNamesOfAFile(string path, string message, string expected)
    {
        var named = RunConfiguration.InFile(new(path, message));
        Assert.Equal(expected, $"{named.Path} {named.Message}");
    }

    [Fact]
    public void Load_NoFile_NamesIt()
    {
        Assert.Contains("absent.json", Assert.Throws<FileNotFoundException>(() => RunConfiguration.Load("absent.json")).Message, StringComparison.Ordinal);
        Assert.EndsWith("is a folder; a configuration file is needed.", Assert.Throws<FileNotFoundException>(() => RunConfiguration.Load(Samples())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddDiffusion_Configuration_IsBoundAndChecked()
    {
        using var good = Services(("data:path", "mnist"), ("model:down:0:channels", "32"), ("training:steps", "7"));
        Assert.Equal(7, good.GetRequiredService<IOptions<RunOptions>>().Value.Training.Steps);
        using var bad = Services(("data:path", "mnist"), ("training:stepz", "7"));
        Assert.Contains("training.stepz", Assert.Throws<OptionsValidationException>(() => bad.GetRequiredService<IOptions<RunOptions>>().Value).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Watch_BindsEveryPartAndCostsNothingByDefault()
    {
        Assert.Equal(new WatchOptions(), RunConfiguration.Parse(Minimal).Watch);
        Assert.Equal((null, null, false), (new WatchOptions().PreviewEvery, new WatchOptions().ValidateEvery, new WatchOptions().TensorBoard));
        var options = RunConfiguration.Parse(Minimal.Insert(Minimal.LastIndexOf('}'), """
            , "watch": { "previewEvery": 200, "previewImages": 9, "previewSteps": 20, "validateEvery": 100, "validationImages": 64,
                         "evaluateEvery": 300, "evaluationImages": 128, "evaluationSteps": 12, "tensorBoard": true, "tensorBoardEvery": 5, "report": false }
            """));
        Assert.Equal(
            new WatchOptions
            {
                PreviewEvery = 200, PreviewImages = 9, PreviewSteps = 20, ValidateEvery = 100, ValidationImages = 64, EvaluateEvery = 300, EvaluationImages = 128, EvaluationSteps = 12, TensorBoard = true, TensorBoardEvery = 5, Report = false,
            },
            options.Watch);
        Assert.Equal(options.Watch, RunConfiguration.Parse(RunConfiguration.ToJson(options)).Watch);
        Assert.Equal("watch.previewSteps must be at most diffusion.timesteps, 1000; it is 2000.", Failures(""" "watch": { "previewSteps": 2000 } """).Single());
        Assert.Equal("watch.evaluationSteps must be at most diffusion.timesteps, 1000; it is 1001.", Failures(""" "watch": { "evaluationSteps": 1001 } """).Single());
        Assert.Equal(2, Failures(""" "watch": { "evaluateEvery": 0, "evaluationImages": 1 } """).Count);
    }

    [Theory]
    [InlineData("""{ "kind": "folder", "path": "x", "size": 32 }""", "1×32×32")]
    [InlineData("""{ "kind": "textures", "path": "x", "channels": 3 }""", "3×28×28")]
    public void Parse_DistancesOfImagesThatTheFeaturesDoNotTake_AreRefused(string data, string shape)
    {
        var error = Assert.Single(Assert.Throws<OptionsValidationException>(() => RunConfiguration.Parse(Run(data))).Failures);
        Assert.Contains("watch.evaluateEvery must be absent for images of " + shape, error, StringComparison.Ordinal);
        Assert.Equal(9, RunConfiguration.Parse(Run("""{ "kind": "folder", "path": "x" }""")).Watch.EvaluateEvery);

        static string Run(string data) => $$"""{ "data": {{data}}, "model": { "down": [ { "channels": 32 } ] }, "watch": { "evaluateEvery": 9 } }""";
    }

    private static List<string> Failures(string sections) => [.. Assert.Throws<OptionsValidationException>(() =>
        RunConfiguration.Parse($$"""{ "data": { "path": "mnist" }, "model": { "down": [ { "channels": 32 } ] }, {{sections}} }""")).Failures];

    private static ServiceProvider Services(params (string Key, string Value)[] entries) => new ServiceCollection()
        .AddDiffusion(new ConfigurationBuilder().AddInMemoryCollection(entries.ToDictionary(entry => entry.Key, entry => (string?)entry.Value)).Build())
        .BuildServiceProvider();

    private static string Samples() => Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", "samples"));
}
