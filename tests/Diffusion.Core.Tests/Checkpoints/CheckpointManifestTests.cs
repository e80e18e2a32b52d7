using System.Text;

namespace Diffusion;

public class CheckpointManifestTests
{
    [Theory]
    [InlineData("model.safetensors", "names no ema.safetensors: a checkpoint has the weights, their averages and the optimizer's state, model.safetensors, ema.safetensors, optimizer.safetensors.")]
    [InlineData("model.safetensors ema.safetensors ema-1.safetensors", "names no optimizer.safetensors")]
    [InlineData("ema.safetensors optimizer.safetensors", "names no model.safetensors")]
    public void Newest_ManifestThatLacksAFile_IsSkipped(string names, string reason)
    {
        using var folder = Trained();
        var path = folder.File("step-00000002/manifest.json");
        var manifest = CheckpointManifest.Parse(File.ReadAllText(path));
        File.WriteAllText(path, (manifest with { Files = names.Split(' ').ToDictionary(name => name, name => manifest.Files.GetValueOrDefault(name) ?? manifest.Files["ema.safetensors"]) }).ToJson());
        List<string> skipped = [];
        Assert.Equal(1, Checkpoint.Newest(folder.Path, skipped.Add)!.Step);
        Assert.Contains($"manifest.json' {reason}", Assert.Single(skipped), StringComparison.Ordinal);
    }

    [Fact]
    public void Newest_FolderOfAnotherStep_IsSkipped()
    {
        using var folder = Trained();
        Directory.Move(folder.File("step-00000002"), folder.File("step-00000007"));
        List<string> skipped = [];
        Assert.Equal(1, Checkpoint.Newest(folder.Path, skipped.Add)!.Step);
        Assert.Contains("manifest.json' has step 2; its folder is named after step 7.", Assert.Single(skipped), StringComparison.Ordinal);
        Assert.Contains("named after step 7", Assert.Throws<InvalidDataException>(() => Checkpoint.Open(folder.File("step-00000007") + Path.DirectorySeparatorChar)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("best")]
    [InlineData("st")]
    [InlineData("step-two")]
    [InlineData("step-2")]
    public void Open_FolderOfAnotherName_IsOpened(string name)
    {
        using var folder = Trained();
        Directory.Move(folder.File("step-00000002"), folder.File(name));
        Assert.Equal(2, Checkpoint.Open(folder.File(name)).Step);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../model.safetensors")]
    [InlineData("a\\\\b")]
    [InlineData("a\\u0000b")]
    public void Open_FileOutsideTheFolder_IsRefused(string name)
    {
        using var folder = new TemporaryFolder();
        const string file = """{"bytes":1,"sha256":"00"}""";
        const string start = $$"""{"schema":1,"step":1,"seed":1,"batchSize":1,"imageCount":1,"library":"1","files":{"model.safetensors":{{file}},"ema.safetensors":{{file}},"optimizer.safetensors":{{file}},""";
        folder.Write("manifest.json", Encoding.UTF8.GetBytes($"{start}\"{name}\":{file}}}}}"));
        var message = Assert.Throws<InvalidDataException>(() => Checkpoint.Open(folder.File("."))).Message;
        Assert.Contains("lie beside its manifest", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "names no files: a checkpoint has the weights")]
    [InlineData("\"step\":-1,", "has step -1; a run's steps begin at 0")]
    [InlineData("\"batchSize\":0,", "has a batch size of 0; at least 1 is needed")]
    [InlineData("\"imageCount\":-40,", "has -40 images; no number can be negative")]
    [InlineData("\"skippedInARow\":-3,", "has -3 skipped steps; no number can be negative")]
    [InlineData("\"schema\":3,", "has format 3; this version reads formats 1 to 2")]
    [InlineData("\"files\":null,", "manifest.json' is not a checkpoint's manifest")]
    public void Open_ManifestThatNoRunWrites_IsRefused(string change, string reason)
    {
        using var folder = new TemporaryFolder();
        const string rest = "\"schema\":1,\"step\":1,\"seed\":1,\"batchSize\":1,\"imageCount\":1,\"library\":\"1\",\"files\":{}";
        var kept = change.Length == 0 ? rest : string.Join(',', rest.Split(',').Where(part => !part.StartsWith(change.Split(':')[0], StringComparison.Ordinal)));
        folder.Write("manifest.json", Encoding.UTF8.GetBytes($"{{{change}{kept}}}"));
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Checkpoint.Open(folder.File("."))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("model.safetensors")]
    public void Newest_NamedPipeInACheckpoint_IsNotWaitedFor(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes in folders");
        using var folder = Trained();
        NamedPipe.At(folder.File("step-00000002/" + name));
        List<string> skipped = [];
        Assert.Equal(1, Checkpoint.Newest(folder.Path, skipped.Add)!.Step);
        Assert.Contains($"{name}' is a named pipe; a file is needed.", Assert.Single(skipped), StringComparison.Ordinal);
    }

    /// <summary>The checkpoints of steps 1 and 2.</summary>
    private static TemporaryFolder Trained()
    {
        var folder = new TemporaryFolder();
        using var images = new MemoryImages();
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 2, BatchSize = 4, Checkpoints = new() { Folder = folder.Path, Every = 1 } });
        trainer.Fit(images);
        return folder;
    }
}
