namespace Diffusion.Sample.Tests;

/// <summary>Folders in which networks, schedulers and descriptions lie otherwise than in a pipeline. The network is a recorded one of huggingface/diffusers, commit 58eb52c.</summary>
public sealed class ForeignFolderTests : IDisposable
{
    private const string Weights = "diffusion_pytorch_model.safetensors";

    private static readonly string s_pipeline = Path.Combine(Golden.Folder, "diffusers_pipeline", "ddpm_pipeline_16", "pipeline");
    private static readonly string[] s_drawing = ["--count", "1", "--steps", "1"];

    private readonly SampleProcess _app = new();

    [Theory]
    [InlineData("unet/config.json>config.json", "unet/" + Weights + ">" + Weights, "scheduler/scheduler_config.json>scheduler_config.json")]
    [InlineData("unet/config.json>unet/config.json", "unet/" + Weights + ">unet/" + Weights, "scheduler/scheduler_config.json>scheduler/scheduler_config.json")]
    public void Sample_NetworkBesideItsScheduler_UsesBoth(params string[] files)
    {
        Lay("model", files);
        Says(0, _app.Run(["sample", "--checkpoint", "model", .. s_drawing]), "schedule of its DDPMScheduler", "sampler DDPMScheduler");
        Says(2, _app.Run(["sample", "--checkpoint", "model", "--prediction", "velocity", .. s_drawing]), "contradicts the scheduler");
        var scheduler = Directory.GetFiles(_app.At("model"), "scheduler_config.json", SearchOption.AllDirectories).Single();
        File.WriteAllText(scheduler, """{"_class_name": "PiflowScheduler"}""");
        Says(1, _app.Run(["sample", "--checkpoint", "model", .. s_drawing]), "PiflowScheduler");
        Says(0, _app.Run(["sample", "--checkpoint", "model", "--schedule", "linear", .. s_drawing]), "PiflowScheduler", "It is left aside", "schedule linear");
    }

    [Fact]
    public void Commands_AveragedNetworkAlone_TakeTheSameWeights()
    {
        Lay("model", "unet/config.json>unet_ema/config.json", $"unet/{Weights}>unet_ema/{Weights}");
        Says(0, _app.Run("info", "model"), "unet_ema");
        Says(0, _app.Run("convert", "--from", "model", "--to", "ours.safetensors", "--dialect", "diffusers"), "unet_ema");
        Lay("model", "unet/config.json>unet/config.json", $"unet/{Weights}>unet/{Weights}");
        foreach (string[] command in new string[][] { ["info", "model"], ["convert", "--from", "model", "--to", "o.safetensors"], ["sample", "--checkpoint", "model", "--schedule", "linear", .. s_drawing] })
        {
            Says(0, _app.Run(command), "was not read: the folder has several networks", $"'{Path.Combine("unet_ema", Weights)}' was taken");
        }

        // What convert has stored says what the network is, on the way back too.
        Says(0, _app.Run("convert", "--from", "ours.safetensors", "--to", "theirs.safetensors", "--dialect", "diffusers", "--reverse"));
        using var theirs = Safetensors.Load(_app.At("theirs.safetensors"));
        using var recorded = Safetensors.Load(Path.Combine(s_pipeline, "unet", Weights));
        Assert.Equal(recorded.Keys.Order(StringComparer.Ordinal), theirs.Keys.Order(StringComparer.Ordinal));
        Assert.All(recorded, item => TensorAssert.Identical(item.Value, theirs[item.Key], item.Key));
    }

    [Fact]
    public void Info_ManifestOfSomethingElse_ShowsTheWeights()
    {
        Lay("model", $"unet/{Weights}>{Weights}");
        File.WriteAllText(_app.At("model/manifest.json"), """{"name": "x"}""");
        Says(0, _app.Run("info", "model"), "144, 45,259 numbers", "is not a checkpoint's manifest", "It was not used");
    }

    [Fact]
    public void Info_FileThatACheckpointDoesNotName_IsNotTakenForOneOfIt()
    {
        Says(0, _app.Run("train", "--config", _app.Configure("\"steps\": 1"), "--out", "run"));
        var folder = Checkpoint.Newest(_app.At("run/checkpoints"))!.Folder;
        Says(0, _app.Run("info", Path.Combine(folder, "ema.safetensors")), "step 1, seed 0");
        File.Copy(Path.Combine(s_pipeline, "unet", Weights), Path.Combine(folder, "other.safetensors"));
        var other = _app.Run("info", Path.Combine(folder, "other.safetensors"));
        Says(0, other, "144, 45,259 numbers");
        Assert.DoesNotContain("step 1, seed 0", other.Output, StringComparison.Ordinal);

        // A run's configuration does not say what weights without it are.
        File.Copy(Path.Combine(s_pipeline, "unet", Weights), _app.At("run/other.safetensors"));
        string[] needed = ["config.json' beside it is the configuration of a run", "--network FILE"];
        Says(2, _app.Run("convert", "--from", "run/other.safetensors", "--to", "o.safetensors", "--dialect", "diffusers"), needed);
        var drawn = _app.Run(["sample", "--checkpoint", "run/other.safetensors", "--schedule", "linear", .. s_drawing]);
        Says(1, drawn, "does not say how its network is built", "--network FILE");
        Says(0, _app.Run(["sample", "--checkpoint", "run/other.safetensors", "--schedule", "linear", "--network", Path.Combine(s_pipeline, "unet", "config.json"), .. s_drawing]));
    }

    [Fact]
    public void Commands_NamedPipes_AreRefusedAndNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes among its files");
        Lay("model", $"unet/{Weights}>{Weights}");
        Lay("scheduler");
        NamedPipe.At(_app.At("model/config.json"));
        NamedPipe.At(_app.At("scheduler/scheduler_config.json"));
        NamedPipe.At(_app.At("network.json"));
        string[] expected = ["is a named pipe; a file is needed."];
        Says(1, _app.Run("sample", "--checkpoint", "model", "--schedule", "linear"), expected);
        Says(1, _app.Run("convert", "--from", "model", "--to", "o.safetensors", "--dialect", "diffusers"), expected);
        Says(1, _app.Run("convert", "--from", "model", "--to", "o.safetensors", "--dialect", "openai", "--network", "network.json"), expected);
        Says(1, _app.Run("info", "scheduler"), expected);
    }

    public void Dispose() => _app.Dispose();

    /// <summary>Copies files of the pipeline to other places of a folder.</summary>
    private void Lay(string folder, params string[] files)
    {
        Directory.CreateDirectory(_app.At(folder));
        foreach (var file in files)
        {
            var target = _app.At(Path.Combine(folder, file.Split('>')[1]));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(s_pipeline, file.Split('>')[0]), target);
        }
    }

    /// <summary>An exit code, and texts in the output, however its lines are broken.</summary>
    private static void Says(int exitCode, (int ExitCode, string Output, string Error) run, params string[] texts)
    {
        Assert.True(run.ExitCode == exitCode, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.All(texts, text => Assert.Contains(Unbroken(text), Unbroken(run.Output + run.Error), StringComparison.Ordinal));
    }

    private static string Unbroken(string text) => string.Concat(text.Where(sign => !char.IsWhiteSpace(sign) && sign != '│'));
}
