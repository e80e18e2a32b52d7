using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Networks that were trained here as folders of diffusers.</summary>
public sealed class DiffusersHandOverTests : IDisposable
{
    private static readonly ImageShape s_image = new(1, 8, 8);

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Schedules => ["linear", "scaled-linear", "cosine", "sigmoid", "sigmoid-betas", "laplace", "vp-sde", "linear-zero-snr", "short", "own"];

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Save_Schedule_ReadsBackToTheSameSamples(string name)
    {
        using var scope = NewDisposeScope();
        using var network = Network();
        var schedule = Schedule(name);
        using (var pipeline = DiffusersPipeline.From(network, schedule, Parameterization.Velocity))
        {
            pipeline.Save(_folder.File("p"));
        }

        using var read = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal(schedule.Timesteps, read.Schedule.Timesteps);
        Assert.All(Enumerable.Range(0, schedule.Timesteps), t => Assert.Equal(schedule.LevelAt(t), read.Schedule.LevelAt(t)));
        var denoiser = new NetworkDenoiser(network, schedule, Parameterization.Velocity).Limited(ImageLimit.Clip());
        TensorAssert.Identical(new DdpmSampler(5).Sample(denoiser, s_image.Batch(2), seed: 3), read.CreateSampler(5).Sample(read.Denoiser, s_image.Batch(2), seed: 3), "samples");
    }

    [Theory]
    [InlineData("epsilon", "epsilon", null)]
    [InlineData("image", "sample", 2.5)]
    [InlineData("velocity", "v_prediction", -1.0)]
    public void Save_PredictionAndLimit_AreInTheScheduler(string prediction, string theirs, double? clip)
    {
        using var scope = NewDisposeScope();
        using var network = Network();
        var parameterization = Parameterization.All.Single(each => each.Name == prediction);
        var limit = clip is null ? ImageLimit.None : clip < 0 ? ImageLimit.Dynamic(0.9, 3) : ImageLimit.Clip(clip.Value);
        var sampling = new DdpmOptions { Spacing = StepSpacing.Leading, Variance = ReverseVariance.FixedLarge };
        using var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Linear(), parameterization, limit, sampling);
        pipeline.Save(_folder.File("p"));
        var config = Json("scheduler/scheduler_config.json");
        Assert.Equal((theirs, "leading", "fixed_large"), ((string)config["prediction_type"]!, (string)config["timestep_spacing"]!, (string)config["variance_type"]!));
        using var read = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal(limit.ToString(), read.Limit.ToString());
        var denoiser = new NetworkDenoiser(network, NoiseSchedule.Linear(), parameterization).Limited(limit);
        TensorAssert.Identical(new DdpmSampler(4, sampling).Sample(denoiser, s_image.Batch(1), seed: 1), read.CreateSampler(4).Sample(read.Denoiser, s_image.Batch(1), seed: 1), "samples");
    }

    [Fact]
    public void Save_Folder_HasWhatDiffusersAndItsUsersLookFor()
    {
        using var network = Network(labels: 4);
        using (var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Linear(), nullLabel: 3, classNames: ["cat", "dog", "cow"]))
        {
            pipeline.Save(_folder.File("p"));
        }

        var index = Json("model_index.json");
        Assert.Equal(("DDPMPipeline", "0.42.1"), ((string)index["_class_name"]!, (string)index["_diffusers_version"]!));
        Assert.Equal("""["diffusers","UNet2DModel"]""", index["unet"]!.ToJsonString());
        Assert.Equal("""["diffusers","DDPMScheduler"]""", index["scheduler"]!.ToJsonString());
        // What begins with an underscore diffusers passes over without a warning (configuration_utils.py, extract_init_dict); any other key is an argument of the pipeline.
        Assert.All(index, entry => Assert.True(entry.Key[0] == '_' || entry.Key is "unet" or "scheduler", entry.Key));
        Assert.Equal("""{"value_range":[-1,1],"channels":1,"height":8,"width":8,"class_names":["cat","dog","cow"],"null_label":3}""", index["_diffusion"]!["images"]!.ToJsonString());
        Assert.Equal(("UNet2DModel", "0.42.1"), ((string)Json("unet/config.json")["_class_name"]!, (string)Json("unet/config.json")["_diffusers_version"]!));
        Assert.Equal(("linear", 1e-4, 0.02), ((string)Json("scheduler/scheduler_config.json")["beta_schedule"]!, (double)Json("scheduler/scheduler_config.json")["beta_start"]!, (double)Json("scheduler/scheduler_config.json")["beta_end"]!));
        Assert.Null(Json("scheduler/scheduler_config.json")["trained_betas"]);
        Assert.Equal("pt", Safetensors.ReadMetadata(_folder.File("p/unet/diffusion_pytorch_model.safetensors"))["format"]);
        using var read = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal(["cat", "dog", "cow"], read.ClassNames);
        Assert.Equal(3, read.NullLabel);
    }

    [Fact]
    public void Save_ConditionalNetwork_ReadsBackWithItsNullLabel()
    {
        using var scope = NewDisposeScope();
        using var network = Network(labels: 4);
        using (var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Linear(), nullLabel: 3))
        {
            pipeline.Save(_folder.File("p"));
        }

        using var read = DiffusersPipeline.Load(_folder.File("p"));
        var denoiser = new NetworkDenoiser(network, NoiseSchedule.Linear(), nullCondition: Condition.OfLabels(3)).With(1).Guided(2).Limited(ImageLimit.Clip());
        TensorAssert.Identical(new DdpmSampler(3).Sample(denoiser, s_image.Batch(1), seed: 1), read.CreateSampler(3).Sample(read.Denoiser.With(1).Guided(2), s_image.Batch(1), seed: 1), "samples");
    }

    [Fact]
    public void Save_LearnedVariance_IsALearnedRange()
    {
        using var scope = NewDisposeScope();
        using var network = Network(outChannels: 2);
        using (var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Linear()))
        {
            pipeline.Save(_folder.File("p"));
        }

        using var read = DiffusersPipeline.Load(_folder.File("p"));
        Assert.Equal("learned_range", (string)Json("scheduler/scheduler_config.json")["variance_type"]!);
        var denoiser = new NetworkDenoiser(network, NoiseSchedule.Linear()).Limited(ImageLimit.Clip());
        TensorAssert.Identical(
            new DdpmSampler(3, new() { Variance = ReverseVariance.LearnedRange }).Sample(denoiser, s_image.Batch(1), seed: 1), read.CreateSampler(3).Sample(read.Denoiser, s_image.Batch(1), seed: 1), "samples");
    }

    [Fact]
    public void From_Trainer_HasTheAveragedWeights()
    {
        using var scope = NewDisposeScope();
        using var network = Network();
        using var trainer = new Trainer(network, NoiseSchedule.Cosine(), new() { Steps = 3, BatchSize = 2, LearningRate = 0.1, Ema = new() { Decay = 0.5, WarmUp = false } }, Parameterization.Image);
        using var images = new MemoryImages(4);
        foreach (var _ in trainer.Steps(images))
        {
        }

        using var averaged = DiffusersPipeline.FromTrainer(trainer);
        using var trained = DiffusersPipeline.FromTrainer(trainer, averaged: false);
        TensorAssert.Identical(Diffusion.Weights.Snapshot(network), Diffusion.Weights.Snapshot(trained.Network));
        averaged.Save(_folder.File("p"));
        using var read = DiffusersPipeline.Load(_folder.File("p"));
        var expected = new DdpmSampler(3).Sample(trainer.Ema.Limited(ImageLimit.Clip()), s_image.Batch(1), seed: 1);
        TensorAssert.Identical(expected, read.CreateSampler(3).Sample(read.Denoiser, s_image.Batch(1), seed: 1), "samples");
        Assert.NotEqual(0, (expected - trained.CreateSampler(3).Sample(trained.Denoiser, s_image.Batch(1), seed: 1)).abs().max().item<float>());
    }

    [Fact]
    public void From_WhatDiffusersDoesNotHave_IsNamed()
    {
        using var network = Network();
        var linear = NoiseSchedule.Linear();
        Refused("the schedule SigmaNoiseSchedule", () => DiffusersPipeline.From(network, NoiseSchedule.Karras(), Parameterization.Image));
        Refused("α² + σ² = 1", () => DiffusersPipeline.From(network, new LevelsOfFlow(), Parameterization.Image));
        Refused("tells it 0", () => DiffusersPipeline.From(network, NoiseSchedule.ContinuousLinear(), Parameterization.Image));
        Refused("the prediction 'flow'", () => DiffusersPipeline.From(network, linear, Parameterization.Flow));
        Refused("the prediction 'karras'", () => DiffusersPipeline.From(network, linear, Parameterization.Karras()));
        Refused("ends at pure noise", () => DiffusersPipeline.From(network, NoiseSchedule.ZeroTerminalSnr(linear)));
        Refused("the limit on images 'dynamic", () => DiffusersPipeline.From(network, linear, limit: ImageLimit.Dynamic(max: double.PositiveInfinity)));
        Refused("the spacing 'log-snr'", () => DiffusersPipeline.From(network, linear, sampling: new() { Spacing = StepSpacing.LogSnr }));
        Refused("the variance LearnedRange with a network that learns none", () => DiffusersPipeline.From(network, linear, sampling: new() { Variance = ReverseVariance.LearnedRange }));
        Refused("must be one of the 0 labels", () => DiffusersPipeline.From(network, linear, nullLabel: 0));
        Refused("The network has 0 classes; 1 names", () => DiffusersPipeline.From(network, linear, classNames: ["cat"]));
        using var labelled = Network(labels: 3);
        Refused("The network has 2 classes, the null label apart; 3 names", () => DiffusersPipeline.From(labelled, linear, nullLabel: 2, classNames: ["a", "b", "c"]));
        using var conditioned = Network(extraChannels: 1);
        Refused("1 channels beside the 1 of the image", () => DiffusersPipeline.From(conditioned, linear));
        using var course = UNetBuilder.From(UNetPresets.Course(new ImageShape(1, 28, 28))).Build();
        Refused("downsampling is convolution4", () => DiffusersPipeline.From(course, linear));
    }

    [Fact]
    public void Load_SchedulerThatWasChangedSince_IsAnErrorNotTheFormerSchedule()
    {
        using var network = Network();
        using (var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Linear()))
        {
            pipeline.Save(_folder.File("p"));
        }

        var config = Json("scheduler/scheduler_config.json");
        config["rescale_betas_zero_snr"] = true;
        config["prediction_type"] = "v_prediction";
        File.WriteAllText(_folder.File("p/scheduler/scheduler_config.json"), config.ToJsonString());
        Assert.Contains("was changed since", Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", "\"_diffusion\" must be an object")]
    [InlineData("""{"images": []}""", "\"images\"")]
    [InlineData("""{"images": {"class_names": ["a", 1]}}""", "\"class_names\"")]
    [InlineData("""{"images": {"null_label": -1}}""", "\"null_label\"")]
    [InlineData("""{"schedule": {"precision": "float32"}}""", "\"precision\"")]
    [InlineData("""{"schedule": {"alphas_cumprod": [0.5, "x"]}}""", "\"alphas_cumprod\"")]
    [InlineData("""{"schedule": {"alphas_cumprod": [0.5, 0.6]}}""", "ᾱ must decrease")]
    [InlineData("""{"schedule": {"alphas_cumprod": [0.5]}}""", "was changed since")]
    public void Load_NoteThatIsNone_NamesIt(string note, string reason)
    {
        using var network = Network();
        using (var pipeline = DiffusersPipeline.From(network, NoiseSchedule.Linear()))
        {
            pipeline.Save(_folder.File("p"));
        }

        var index = Json("model_index.json");
        index["_diffusion"] = JsonNode.Parse(note);
        File.WriteAllText(_folder.File("p/model_index.json"), index.ToJsonString());
        var message = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("p"))).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Contains(_folder.File("p"), message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static void Refused(string what, Func<DiffusersPipeline> make) => Assert.Contains(what, Assert.Throws<ArgumentException>(() => make().Dispose()).Message, StringComparison.Ordinal);

    private JsonObject Json(string file) => JsonNode.Parse(File.ReadAllText(_folder.File($"p/{file}")))!.AsObject();

    private static INoiseSchedule Schedule(string name) => name switch
    {
        "short" => NoiseSchedule.Linear(40),
        "own" => NoiseSchedule.FromBetas(Enumerable.Range(1, 50).Select(i => i / 200.0)),
        _ => NoiseSchedule.Create(name),
    };

    private static UNet Network(int? labels = null, int? outChannels = null, int extraChannels = 0)
    {
        var config = JsonSerializer.Serialize(new
        {
            _class_name = "UNet2DModel", in_channels = 1 + extraChannels, out_channels = outChannels ?? 1, sample_size = 8, block_out_channels = new[] { 8, 8 }, layers_per_block = 1,
            norm_num_groups = 4, down_block_types = new[] { "DownBlock2D", "DownBlock2D" }, up_block_types = new[] { "UpBlock2D", "UpBlock2D" }, num_class_embeds = labels, add_attention = false,
        });
        return DiffusersUNet.Parse(config).Build(seed: 1);
    }

    /// <summary>A straight line from image to noise that is no rectified flow of this library.</summary>
    private sealed class LevelsOfFlow : INoiseSchedule
    {
        public int Timesteps => 10;

        public NoiseLevel LevelAt(int timestep) => new(1 - ((timestep + 1) / 10.0), (timestep + 1) / 10.0, timestep);
    }
}
