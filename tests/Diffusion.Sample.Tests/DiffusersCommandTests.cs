using System.Text.Json;
using System.Text.Json.Nodes;

namespace Diffusion.Sample.Tests;

/// <summary>Folders of diffusers as networks to draw with and to begin with, and runs as such folders. The pipeline is a recorded one of huggingface/diffusers, commit 58eb52c.</summary>
public sealed class DiffusersCommandTests : IDisposable
{
    private static readonly string s_pipeline = Path.Combine(Golden.Folder, "diffusers_pipeline", "ddpm_pipeline_16", "pipeline");
    private static readonly string s_labelled = Path.Combine(Golden.Folder, "diffusers_unet2d", "u28_class10", "model");

    private readonly SampleProcess _app = new();

    /// <summary>A network that UNet2DModel can be, with labels.</summary>
    private const string Expressible = """
        "model": { "stemChannels": 8, "down": [ { "channels": 8, "layers": 1 }, { "channels": 16, "layers": 1 } ], "mid": [ { "channels": 16, "attention": false } ], "timeDimension": 32,
                   "downsampling": "convolution3", "upsampling": "nearest",
                   "dialect": { "skips": "layer", "time": { "width": 8, "order": "cosineFirst" }, "attention": { "projection": "separate", "headWidth": 8 }, "labels": { "classes": 11 } } }
        """;

    [Fact]
    public void Commands_PipelinesFolder_UseItWithItsScheduler()
    {
        var drawn = Done(_app.Run("sample", "--checkpoint", s_pipeline, "--steps", "2", "--count", "2", "--raw"));
        Says(drawn, "DDPMPipeline", "schedule of its DDPMScheduler", "predicts epsilon", "sampler DDPMScheduler", "2 steps", "diffusion_pytorch_model.safetensors");
        using (var images = Safetensors.Load(_app.At("out/samples.safetensors")))
        using (var pipeline = Models.DiffusersPipeline.Load(s_pipeline))
        {
            using var expected = pipeline.CreateSampler(2).Sample(pipeline.Denoiser, [2, 3, 16, 16], seed: 0).clamp_(-1, 1);
            TensorAssert.Identical(expected, images["images"], "images");
        }

        Says(Done(_app.Run("sample", "--checkpoint", s_pipeline, "--steps", "2", "--count", "1", "--sampler", "euler")), "sampler euler");
        Says(Done(_app.Run("sample", "--checkpoint", s_pipeline, "--steps", "2", "--count", "1", "--schedule", "cosine", "--prediction", "velocity")), "schedule cosine", "predicts velocity");
        Done(_app.Run("img2img", "--checkpoint", s_pipeline, "--steps", "2", "--input", _app.At("out/samples.png")));
        Done(_app.Run("inpaint", "--checkpoint", s_pipeline, "--steps", "2", "--input", _app.At("out/samples.png")));
        Done(_app.Run("interpolate", "--checkpoint", s_pipeline, "--steps", "2", "--seeds", "1", "2", "--count", "1", "--points", "2"));
        Done(_app.Run("reconstruct", "--checkpoint", s_pipeline, "--steps", "2", "--input", _app.At("out/samples.png")));
        Wrong(_app.Run("reconstruct", "--checkpoint", s_pipeline, "--steps", "2"), "does not say where images are", "--input");
        Wrong(_app.Run("sample", "--checkpoint", s_pipeline, "--prediction", "velocity"), "contradicts the scheduler", "predicts epsilon");
        Wrong(_app.Run("sample", "--checkpoint", s_pipeline, "--spacing", "trailing"), "--spacing goes with --sampler");
        Wrong(_app.Run("sample", "--checkpoint", Path.Combine(s_pipeline, "scheduler")), "a scheduler of diffusers alone");
    }

    [Fact]
    public void Commands_NetworkAlone_NeedASchedule()
    {
        // What a training script with an average leaves in a checkpoint: both networks, no scheduler.
        Copy(Path.Combine(s_pipeline, "unet"), _app.At("checkpoint-5/unet"));
        Copy(Path.Combine(s_pipeline, "unet"), _app.At("checkpoint-5/unet_ema"));
        var config = JsonNode.Parse(File.ReadAllText(_app.At("checkpoint-5/unet_ema/config.json")))!.AsObject();
        config["decay"] = 0.9999;
        File.WriteAllText(_app.At("checkpoint-5/unet_ema/config.json"), config.ToJsonString());
        Wrong(_app.Run("sample", "--checkpoint", "checkpoint-5"), "without a scheduler", "--schedule", "linear", "cosine");
        Says(Done(_app.Run("sample", "--checkpoint", "checkpoint-5", "--schedule", "linear", "--steps", "2")), "unet_ema", "taken to predict epsilon", "Drew 4 images");
        // Weights alone, as accelerate's save_state writes them, and as convert writes them.
        Directory.CreateDirectory(_app.At("state"));
        File.Move(_app.At("checkpoint-5/unet/diffusion_pytorch_model.safetensors"), _app.At("state/model.safetensors"));
        Wrong(_app.Run("sample", "--checkpoint", "state", "--schedule", "linear"), "--network");
        Done(_app.Run("sample", "--checkpoint", "state", "--schedule", "linear", "--steps", "1", "--count", "1", "--network", "checkpoint-5/unet/config.json"));
        Done(_app.Run("convert", "--from", "checkpoint-5/unet_ema", "--to", "ours.safetensors", "--dialect", "diffusers"));
        Done(_app.Run("sample", "--checkpoint", "ours.safetensors", "--schedule", "linear", "--steps", "1", "--count", "1"));
        File.Move(_app.At("checkpoint-5/unet_ema/diffusion_pytorch_model.safetensors"), _app.At("checkpoint-5/unet_ema/diffusion_pytorch_model.fp16.safetensors"));
        Done(_app.Run("sample", "--checkpoint", "checkpoint-5/unet_ema", "--variant", "fp16", "--schedule", "linear", "--steps", "1", "--count", "1"));
    }

    [Fact]
    public void Sample_LabelledNetwork_TakesLabelsAndANullLabel()
    {
        string[] sample = ["sample", "--checkpoint", s_labelled, "--schedule", "linear", "--steps", "1", "--count", "2"];
        Says(Done(_app.Run([.. sample])), "label 1");
        Says(Done(_app.Run([.. sample, "--label", "9"])), "label 9");
        Wrong(_app.Run([.. sample, "--label", "10"]), "--label must be in [0, 9]");
        Wrong(_app.Run([.. sample, "--guidance", "2"]), "--null-label");
        Done(_app.Run([.. sample, "--guidance", "2", "--null-label", "9"]));
        Wrong(_app.Run([.. sample, "--null-label", "10"]), "--null-label must be in [0, 9]");
    }

    [Fact]
    public void Info_SchedulerAlone_DescribesIt()
    {
        Says(Done(_app.Run("info", Path.Combine(s_pipeline, "scheduler"))), "Scheduler of diffusers", "DDPMScheduler, 1000 timesteps, predicts epsilon");
        File.WriteAllText(_app.At("an-EulerDiscreteScheduler.json"), """{"_class_name": "EulerDiscreteScheduler"}""");
        Says(Done(_app.Run("info", "an-EulerDiscreteScheduler.json")), "EulerDiscreteScheduler, 1000 timesteps, predicts epsilon");
        File.WriteAllText(_app.At("scheduler_config.json"), """{"_class_name": "PiflowScheduler"}""");
        var failed = _app.Run("info", "scheduler_config.json");
        Assert.Equal(1, failed.ExitCode);
        Says(failed, "scheduler_config.json", "PiflowScheduler");
    }

    [Fact]
    public void Convert_Run_IsAPipelineThatDrawsTheSame()
    {
        var config = _app.Configure("\"steps\": 2", Expressible);
        Done(_app.Run("train", "--config", config));
        Says(Done(_app.Run("convert", "--from", "out", "--to", "pipeline", "--dialect", "diffusers")), "DDPMPipeline", "ema.safetensors", "10 class names");
        Says(Done(_app.Run("info", "pipeline")), "class \"7\"");
        foreach (var options in new[] { "", "--guidance 2 --label 7", "--sampler dpm++2m" })
        {
            string[] arguments = ["--count", "4", "--steps", "3", "--raw", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
            Done(_app.Run(["sample", "--checkpoint", "out", "--out", "ours", .. arguments]));
            Done(_app.Run(["sample", "--checkpoint", "pipeline", "--out", "theirs", .. arguments]));
            Assert.Equal(File.ReadAllBytes(_app.At("ours/samples.safetensors")), File.ReadAllBytes(_app.At("theirs/samples.safetensors")));
        }

        Directory.CreateDirectory(_app.At("mine"));
        File.WriteAllText(_app.At("mine/notes.txt"), "mine");
        Assert.Equal(1, _app.Run("convert", "--from", "out", "--to", "mine", "--dialect", "diffusers").ExitCode);
        Assert.Equal(["notes.txt"], Directory.GetFileSystemEntries(_app.At("mine")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(2, "")]
    [InlineData(7, ", \"diffusion\": { \"schedule\": \"flow\", \"prediction\": \"flow\" }")]
    public void Convert_RunOnPatches_IsAPipelineThatDrawsTheSame(int patch, string diffusion)
    {
        var model = Expressible.Replace("\"dialect\": {", $"\"dialect\": {{ \"patchSize\": {patch},", StringComparison.Ordinal) + diffusion;
        var run = _app.Configure("\"steps\": 3", model);
        File.WriteAllText(run, File.ReadAllText(run).Replace("\"sampling\": {", "\"sampling\": { \"clip\": false,", StringComparison.Ordinal)); // a flow's scheduler has no limit on images
        Done(_app.Run("train", "--config", run));
        var (channels, size) = (patch * patch, 28 / patch);
        Says(
            Done(_app.Run("convert", "--from", "out", "--to", "pipeline", "--dialect", "diffusers")),
            "1×28×28", $"on patches of {patch}×{patch} pixels", $"samples are [B, {channels}, {size}, {size}]", $"pixel_shuffle(samples, {patch})");
        var config = JsonNode.Parse(File.ReadAllText(_app.At("pipeline/unet/config.json")))!;
        Assert.Equal((channels, channels, size), ((int)config["in_channels"]!, (int)config["out_channels"]!, (int)config["sample_size"]!));
        Says(Done(_app.Run("info", "pipeline")), $"{patch}×{patch} pixels");
        foreach (var options in diffusion.Length == 0 ? ["", "--guidance 2 --label 7"] : new[] { "--sampler heun --label 3" })
        {
            string[] arguments = ["--count", "2", "--steps", "3", "--raw", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
            Done(_app.Run(["sample", "--checkpoint", "out", "--out", "ours", .. arguments]));
            Says(Done(_app.Run(["sample", "--checkpoint", "pipeline", "--out", "theirs", .. arguments])), "images 1×28×28");
            Assert.Equal(File.ReadAllBytes(_app.At("ours/samples.safetensors")), File.ReadAllBytes(_app.At("theirs/samples.safetensors")));
        }
    }

    [Fact]
    public void Commands_PipelineOnPatches_KeepThemOrSaySo()
    {
        var config = _app.Configure("\"steps\": 1", Expressible.Replace("\"dialect\": {", "\"dialect\": { \"patchSize\": 2,", StringComparison.Ordinal));
        Done(_app.Run("train", "--config", config));
        Done(_app.Run("convert", "--from", "out", "--to", "pipeline", "--dialect", "diffusers"));
        Done(_app.Run("train", "--config", config, "--from", "pipeline", "--out", "tuned"));
        Assert.Contains("\"patchSize\": 2", File.ReadAllText(_app.At("tuned/config.json")), StringComparison.Ordinal);

        Says(Done(_app.Run("convert", "--from", "pipeline", "--to", "file.safetensors", "--dialect", "diffusers")), "patches of 2×2 pixels", "are not in the file");
        foreach (var alone in new[] { "file.safetensors", "pipeline/unet" })
        {
            Wrong(_app.Run("sample", "--checkpoint", alone, "--schedule", "linear", "--steps", "1", "--count", "1"), "have 4 channels", "need 1 or 3", "its pipeline's folder");
        }

        foreach (var dialect in new[] { "diffusers", "openai" })
        {
            var refused = _app.Run("convert", "--from", "out", "--to", "reversed.safetensors", "--dialect", dialect, "--reverse", "--network", "pipeline/unet/config.json");
            Wrong(refused, "on patches of 2×2 pixels (model.dialect.patchSize)", $"no file of {dialect}");
            Assert.False(File.Exists(_app.At("reversed.safetensors")));
        }

        File.WriteAllText(_app.At("pipeline/model_index.json"), File.ReadAllText(_app.At("pipeline/model_index.json")).Replace("\"patch_size\": 2", "\"patch_size\": 3", StringComparison.Ordinal));
        var failed = _app.Run("sample", "--checkpoint", "pipeline", "--steps", "1");
        Assert.Equal(1, failed.ExitCode);
        Says(failed, "model_index.json: \"patch_size\" in its \"_diffusion\" must be", "4 in and 4 out", "it is 3");
    }

    [Fact]
    public void Convert_RunThatDiffusersCannotExpress_NamesWhyAndWritesNothing()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 1")));
        var failed = _app.Run("convert", "--from", "out", "--to", "pipeline", "--dialect", "diffusers");
        Assert.Equal(1, failed.ExitCode);
        Says(failed, "UNet2DModel cannot be this network", "down[0].downsampling is convolution4");
        Assert.DoesNotContain("Parameter", failed.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_app.At("pipeline")));
    }

    [Fact]
    public void Train_FromDiffusers_BeginsWithItsWeightsAndGoesOn()
    {
        Wrong(_app.Run("train", "--config", _app.Configure("\"steps\": 1"), "--from", s_pipeline, "--out", "wrong"), "takes images of 3 channels", "have 1");
        Assert.False(Directory.Exists(_app.At("wrong")));
        Directory.CreateDirectory(_app.At("images"));
        Done(_app.Run("sample", "--checkpoint", s_pipeline, "--steps", "1", "--count", "1"));
        File.Copy(_app.At("out/samples.png"), _app.At("images/a.png"));
        File.WriteAllText(_app.At("own.json"), JsonSerializer.Serialize(new
        {
            data = new { kind = "folder", path = _app.At("images"), size = 16, channels = 3 },
            model = new { down = new[] { new { channels = 8 } } },
            training = new { batchSize = 1, steps = 2, learningRate = 1e-12, checkpoints = new { every = 1000 } },
            sampling = new { count = 1, steps = 1 },
        }));
        Says(Done(_app.Run("train", "--config", "own.json", "--from", s_pipeline, "--stop-after", "1", "--out", "tuned")), "The network is the DDPMPipeline", "its scheduler has", "The weights begin as those of");
        Done(_app.Run("train", "--resume", "--out", "tuned"));
        Copy(s_pipeline, _app.At("infinite"));
        var scheduler = _app.At("infinite/scheduler/scheduler_config.json");
        File.WriteAllText(scheduler, File.ReadAllText(scheduler).Replace("{", "{\"my_key\": Infinity,", StringComparison.Ordinal));
        Done(_app.Run("train", "--config", "own.json", "--from", "infinite", "--ignore-key", "my_key", "--steps", "1", "--out", "other"));
        using var before = Models.DiffusersPipeline.Load(s_pipeline);
        using var expected = Weights.Snapshot(before.Network);
        using var tuned = Safetensors.Load(_app.At("tuned/ema.safetensors"));
        Assert.All(expected, item => Assert.True(item.Value.allclose(tuned[item.Key], 1e-6, 1e-6), item.Key)); // the learning rate moves nothing
        Wrong(_app.Run("train", "--resume", "--from", s_pipeline, "--out", "tuned"), "--from begins a run");
    }

    [Fact]
    public void Train_FromARun_NamesWhatDoesNotFit()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 1"), "--out", "first"));
        Says(Done(_app.Run("train", "--from", "first", "--out", "second", "--steps", "1")), "The weights begin as those of", "first");
        var failed = _app.Run("train", "--from", "first", "--config", _app.Configure("\"steps\": 1", Expressible), "--out", "third");
        Assert.Equal(1, failed.ExitCode);
        Says(failed, "does not fit the network of the configuration", "missing: 'labels.table.weight'");
        Assert.False(Directory.Exists(_app.At("third")));
    }

    public void Dispose() => _app.Dispose();

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static (int ExitCode, string Output, string Error) Done((int ExitCode, string Output, string Error) run)
    {
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return run;
    }

    /// <summary>Texts in the output, however its lines are broken.</summary>
    private static void Says((int ExitCode, string Output, string Error) run, params string[] texts) =>
        Assert.All(texts, text => Assert.Contains(Unbroken(text), Unbroken(run.Output + run.Error), StringComparison.Ordinal));

    private static string Unbroken(string text) => string.Concat(text.Where(sign => !char.IsWhiteSpace(sign) && sign != '│'));

    private static void Wrong((int ExitCode, string Output, string Error) run, params string[] texts)
    {
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Says(run, texts);
    }
}
