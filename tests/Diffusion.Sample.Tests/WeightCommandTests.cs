using System.Text.Json;

namespace Diffusion.Sample.Tests;

/// <summary>The commands about files of weights, of this library and of others.</summary>
public sealed class WeightCommandTests : IDisposable
{
    // Written by hand in the form of torch.save: {"model": {"_orig_mod.a.weight", "_orig_mod.a.bias"}, "optimizer": {"state": {0: {"exp_avg"}}, "param_groups": []}, "epoch": 3}, each tensor float32 [2].
    private const string Checkpoint =
        "UEsDBBQAAAAAAAAAIQC6h3/6cgIAAHICAAANAAAAZmlsZS9kYXRhLnBrbIACfShYBQAAAG1vZGVsfShYEgAAAF9vcmlnX21vZC5hLndlaWdodGN0b3JjaC5fdXRpbHMKX3JlYnVpbGRfdGVuc29yX3"
        + "YyCigoWAcAAABzdG9yYWdlY3RvcmNoCkZsb2F0U3RvcmFnZQpYAQAAADBYAwAAAGNwdYoIAgAAAAAAAAB0UYoIAAAAAAAAAAAoiggCAAAAAAAAAHQoiggBAAAAAAAAAHSJY2NvbGxlY3Rpb25zCk9y"
        + "ZGVyZWREaWN0Cih0UnRSWBAAAABfb3JpZ19tb2QuYS5iaWFzY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKKChYBwAAAHN0b3JhZ2VjdG9yY2gKRmxvYXRTdG9yYWdlClgBAAAAMFgDAA"
        + "AAY3B1iggCAAAAAAAAAHRRiggAAAAAAAAAACiKCAIAAAAAAAAAdCiKCAEAAAAAAAAAdIljY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKKHRSdFJ1WAkAAABvcHRpbWl6ZXJ9KFgFAAAAc3RhdGV9KFgB"
        + "AAAAMH0oWAcAAABleHBfYXZnY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKKChYBwAAAHN0b3JhZ2VjdG9yY2gKRmxvYXRTdG9yYWdlClgBAAAAMFgDAAAAY3B1iggCAAAAAAAAAHRRig"
        + "gAAAAAAAAAACiKCAIAAAAAAAAAdCiKCAEAAAAAAAAAdIljY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKKHRSdFJ1dVgMAAAAcGFyYW1fZ3JvdXBzXXVYBQAAAGVwb2NoiggDAAAAAAAAAHUuUEsDBBQA"
        + "AAAAAAAAIQBp3yJlCAAAAAgAAAALAAAAZmlsZS9kYXRhLzAAAAAAAAAAAFBLAQIUAxQAAAAAAAAAIQC6h3/6cgIAAHICAAANAAAAAAAAAAAAAACAAQAAAABmaWxlL2RhdGEucGtsUEsBAhQDFAAAAA"
        + "AAAAAhAGnfImUIAAAACAAAAAsAAAAAAAAAAAAAAIABnQIAAGZpbGUvZGF0YS8wUEsFBgAAAAACAAIAdAAAAM4CAAAAAA==";

    private readonly SampleProcess _app = new();

    private static string Course => Path.Combine(Golden.Folder, "explainingai", "unet_L1", "model.pth");

    [Fact]
    public void Convert_CourseToOursAndBack_GivesTheSameNamesAndBits()
    {
        using var golden = Golden.Case("explainingai/unet_L1");
        Done(_app.Run("convert", "--from", Course, "--to", "ours.safetensors", "--dialect", "course"));
        Done(_app.Run("convert", "--from", "ours.safetensors", "--to", "theirs.safetensors", "--dialect", "Course", "--reverse"));
        Done(_app.Run("convert", "--from", Course, "--to", "plain.safetensors"));
        using var ours = Safetensors.Load(_app.At("ours.safetensors"));
        using var theirs = Safetensors.Load(_app.At("theirs.safetensors"));
        using var plain = Safetensors.Load(_app.At("plain.safetensors"));

        Assert.Contains("down.0.layers.residuals.0.conv1.weight", ours.Keys);
        TensorAssert.Identical(golden.WithPrefix("sd."), theirs);
        TensorAssert.Identical(theirs, plain);
    }

    [Fact]
    public void Convert_DiffusersToOursAndBack_GivesTheSameNamesAndBits()
    {
        var model = Path.Combine(Golden.Folder, "diffusers_unet2d", "u28_basic", "model");
        Done(_app.Run("convert", "--from", model, "--to", "ours.safetensors", "--dialect", "diffusers"));
        Done(_app.Run("convert", "--from", "ours.safetensors", "--to", "theirs.safetensors", "--dialect", "diffusers", "--network", Path.Combine(model, "config.json"), "--reverse"));
        using var original = Safetensors.Load(Path.Combine(model, "diffusion_pytorch_model.safetensors"));
        using var ours = Safetensors.Load(_app.At("ours.safetensors"));
        using var theirs = Safetensors.Load(_app.At("theirs.safetensors"));
        Assert.Contains("conv_in.weight", ours.Keys);
        Assert.DoesNotContain("time_embedding.linear_1.weight", ours.Keys);
        TensorAssert.Identical(original, theirs);
        File.Copy(Path.Combine(model, "diffusion_pytorch_model.safetensors"), _app.At("alone.safetensors")); // converted ones say what their network is
        var alone = _app.Run("convert", "--from", "alone.safetensors", "--to", "no.safetensors", "--dialect", "diffusers");
        Assert.Equal(2, alone.ExitCode);
        Assert.Contains("--network", alone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_OpenAIToOursAndBack_GivesTheSameNamesAndBits()
    {
        using var golden = Golden.Case("openai_unet/improved_unet_basic");
        File.WriteAllText(_app.At("arguments.json"), golden.Constructor.GetRawText());
        var file = golden.File("tensors.safetensors");
        Done(_app.Run("convert", "--from", file, "--prefix", "sd.", "--to", "ours.safetensors", "--dialect", "openai", "--network", "arguments.json"));
        Done(_app.Run("convert", "--from", "ours.safetensors", "--to", "theirs.safetensors", "--dialect", "openai", "--network", "arguments.json", "--reverse"));
        using var theirs = Safetensors.Load(_app.At("theirs.safetensors"));
        TensorAssert.Identical(golden.WithPrefix("sd."), theirs);
    }

    [Fact]
    public void Convert_WithConfiguration_GivesWeightsThatTheOtherCommandsUse()
    {
        var config = _app.Configure("\"steps\": 1");
        Done(_app.Run("train", "--config", config));
        Done(_app.Run("convert", "--from", "out", "--to", "course.safetensors", "--dialect", "course", "--reverse"));
        Done(_app.Run("convert", "--from", "course.safetensors", "--to", "back.safetensors", "--dialect", "course", "--config", config));
        Done(_app.Run("sample", "--checkpoint", "back.safetensors", "--count", "1", "--steps", "1"));
        Failed(_app.Run("convert", "--from", Course, "--to", "no.safetensors", "--dialect", "course", "--config", config), "do not fit", "mismatched: 'conv_in.weight'");
    }

    [Fact]
    public void Convert_NestedFile_TakesThePrefix()
    {
        var nested = Path.Combine(Golden.Folder, "pth", "nested_shared_storage", "file.pth");
        Done(_app.Run("convert", "--from", nested, "--to", "model.safetensors", "--prefix", "model/"));
        using var model = Safetensors.Load(_app.At("model.safetensors"));
        Assert.Equal(["a.slice", "a.view_t", "a.weight"], model.Keys.Order());
    }

    [Fact]
    public void Convert_CheckpointOfATrainingScript_TakesTheWeightsAndSaysWhatItLeavesOut()
    {
        File.WriteAllBytes(_app.At("checkpoint.pth"), Convert.FromBase64String(Checkpoint));

        Shows(["convert", "--from", "checkpoint.pth", "--to", "o.safetensors"], ["left out are 1 of 'optimizer'", "Taken off: '_orig_mod.' of torch.compile in 2 names", "Wrote 2 tensors, 4 numbers"], []);
        using var weights = Safetensors.Load(_app.At("o.safetensors"));
        Assert.Equal(["a.bias", "a.weight"], weights.Keys.Order(StringComparer.Ordinal));
        Shows(["info", "checkpoint.pth"], ["model/_orig_mod.a.weight", "'optimizer'"], []);
        Done(_app.Run("convert", "--from", "checkpoint.pth", "--to", "all.safetensors", "--prefix", ""));
        using var all = Safetensors.Load(_app.At("all.safetensors"));
        Assert.Contains("optimizer/state/0/exp_avg", all.Keys);
    }

    [Fact]
    public void Convert_SeveralNetworks_NamesThemAndHowToChoose()
    {
        var nested = Path.Combine(Golden.Folder, "pth", "nested_shared_storage", "file.pth");
        Failed(_app.Run("convert", "--from", nested, "--to", "a.safetensors"), "'model' (3 tensors), 'ema' (", "--prefix model/ or --prefix ema/");
        Assert.False(File.Exists(_app.At("a.safetensors")));
    }

    [Fact]
    public void Info_FolderOfAVariantOrOfShards_SaysWhatIsReadAndWhatNot()
    {
        Directory.CreateDirectory(_app.At("unet"));
        using (var one = TorchSharp.torch.zeros(2, 3))
        {
            Safetensors.Save(_app.At("unet/diffusion_pytorch_model.fp16.safetensors"), [KeyValuePair.Create("a", one)]);
            Safetensors.Save(_app.At("shards/diffusion_pytorch_model.safetensors"), [KeyValuePair.Create("stale", one)]);
            Safetensors.Save(_app.At("shards/s.safetensors"), [KeyValuePair.Create("fresh", one)]);
        }

        File.WriteAllText(_app.At("shards/diffusion_pytorch_model.safetensors.index.json"), """{"weight_map":{"fresh":"s.safetensors"}}""");
        Failed(_app.Run("info", "unet"), "diffusion_pytorch_model.fp16.safetensors", "--variant fp16");
        Shows(["info", "unet", "--variant", "fp16"], ["diffusion_pytorch_model.fp16.safetensors", "2×3"], []);
        Failed(_app.Run("info", "unet/diffusion_pytorch_model.fp16.safetensors", "--variant", "fp16"), 2, "is a file");
        Done(_app.Run("convert", "--from", "unet", "--variant", "fp16", "--to", "o.safetensors"));
        Shows(["info", "shards"], ["fresh", "was not read"], ["stale "]);
    }

    [Fact]
    public void Info_FilesThatAreSomethingElse_SaysWhatTheyAre()
    {
        File.WriteAllText(_app.At("lfs.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
        File.WriteAllText(_app.At("page.bin"), "<!doctype html><title>Sign in</title>");
        const string header = """{"a":{"dtype":"F8_E4M3","shape":[2,3],"data_offsets":[0,6]}}""";
        File.WriteAllBytes(_app.At("float8.safetensors"), [.. BitConverter.GetBytes((long)header.Length), .. System.Text.Encoding.ASCII.GetBytes(header), .. new byte[6]]);
        Failed(_app.Run("info", "lfs.safetensors"), "a pointer of Git LFS", "git lfs pull");
        Failed(_app.Run("info", "page.bin"), "an HTML page");
        Shows(["info", "float8.safetensors"], ["1 of F8_E4M3", "2×3", "not readable"], []);
        Failed(_app.Run("convert", "--from", "float8.safetensors", "--to", "o.safetensors"), "tensor 'a'", "'F8_E4M3'");
    }

    [Theory]
    [InlineData(2, "--to a.safetensors --dialect curse", "--dialect must be one of course")]
    [InlineData(2, "--to a.pth", "*.safetensors")]
    [InlineData(2, "--to a.safetensors --reverse", "--reverse goes with --dialect")]
    [InlineData(2, "--to a.safetensors --prefix model/", "begins with 'model/'", "conv_in")]
    [InlineData(1, "--to a.safetensors --dialect course --reverse", "no rule for", "downs.0")]
    public void Convert_WrongUsage_SaysWhatIsWrong(int exitCode, string options, params string[] expected)
    {
        ArgumentNullException.ThrowIfNull(options);
        Failed(_app.Run(["convert", "--from", Course, .. options.Split(' ')]), exitCode, expected);
        Assert.False(File.Exists(_app.At("a.safetensors")));
    }

    [Fact]
    public void Info_FilesOfOtherProjects_ShowsWhatTheyHold()
    {
        using (var one = TorchSharp.torch.zeros(2, 3))
        {
            Safetensors.Save(_app.At("s-1.safetensors"), Enumerable.Range(0, 20).Select(i => KeyValuePair.Create($"w{i:D2}", one)), new Dictionary<string, string> { ["made by"] = "hand" });
        }

        File.WriteAllText(_app.At("s.safetensors.index.json"), JsonSerializer.Serialize(
            new { weight_map = Enumerable.Range(0, 20).ToDictionary(i => $"w{i:D2}", _ => "s-1.safetensors") }));

        Shows(["info", "s-1.safetensors"], ["20, 120 numbers", "made by: hand", "w11", "2×3", "Float32", "and 8 more; --all"], ["w12"]);
        Shows(["info", "s.safetensors.index.json", "--all"], ["20, 120 numbers", "w19"], ["more; --all"]);
        Shows(["info", Course], ["PyTorch", "186, 585,937 numbers", "kernels"], []);
        Shows(
            ["info", Path.Combine(Golden.Folder, "diffusers_pipeline", "ddim_pipeline_16", "pipeline")],
            ["DDIMPipeline", "UNet2DModel", "DDIMScheduler, 1000 timesteps, predicts epsilon", "144, 45,259 numbers"], ["keys not used"]);
    }

    [Fact]
    public void Info_AFileThatKeptKeysOfAnotherScheduler_ListsThem()
    {
        var recorded = Path.Combine(Golden.Folder, "diffusers_pipeline", "ddim_pipeline_16", "pipeline");
        foreach (var file in Directory.EnumerateFiles(recorded, "*", SearchOption.AllDirectories))
        {
            var target = _app.At(Path.Combine("kept", Path.GetRelativePath(recorded, file)));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        var config = _app.At(Path.Combine("kept", "scheduler", "scheduler_config.json"));
        var text = File.ReadAllText(config);
        File.WriteAllText(config, text.Replace("{", "{\"lambda_min_clipped\": -Infinity, \"solver_p\": NaN,", StringComparison.Ordinal));
        Shows(["info", "kept"], ["keys not used", "lambda_min_clipped, solver_p"], []);
        File.WriteAllText(config, text.Replace("{", "{\"my_key\": 1,", StringComparison.Ordinal));
        Failed(_app.Run("info", "kept"), 1, "scheduler_config.json", "my_key");
    }

    [Fact]
    public void Info_NothingToRead_SaysSo()
    {
        Directory.CreateDirectory(_app.At("empty"));
        File.WriteAllText(_app.At("bad.safetensors"), "hello");
        Failed(_app.Run("info", "absent"), 2, "absent");
        Failed(_app.Run("info", "empty"), 1, "diffusion_pytorch_model.safetensors");
        Failed(_app.Run("info", "bad.safetensors"), 1, "bad.safetensors", "needs at least 8");
    }

    public void Dispose() => _app.Dispose();

    private void Shows(string[] arguments, string[] expected, string[] absent)
    {
        var run = _app.Run(arguments);
        Done(run);
        Assert.All(expected, text => Assert.Contains(text, run.Output, StringComparison.Ordinal));
        Assert.All(absent, text => Assert.DoesNotContain(text, run.Output, StringComparison.Ordinal));
    }

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Output + run.Error);

    private static void Failed((int ExitCode, string Output, string Error) run, params string[] expected) => Failed(run, 1, expected);

    private static void Failed((int ExitCode, string Output, string Error) run, int exitCode, params string[] expected)
    {
        Assert.True(run.ExitCode == exitCode, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.All(expected, text => Assert.Contains(text, run.Error, StringComparison.Ordinal));
    }
}
