namespace Diffusion.Sample.Tests;

/// <summary>Kinds of data other than MNIST, from the configuration to the picture.</summary>
public sealed class DataCommandTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Train_Textures_DrawsThemByLabel()
    {
        var photographs = Repository("samples/data/textures");
        var model = SampleProcess.Model.Insert(SampleProcess.Model.LastIndexOf('}'), """, "dialect": { "labels": { "classes": 4 } } """);
        Done(_app.Run("train", "--config", Configure($$"""
            { "data": { "kind": "textures", "path": "{{photographs}}" }, {{model}},
              "training": { "batchSize": 4, "steps": 3, "loader": { "order": "classBalanced", "prefetch": 1 } }, "sampling": { "count": 6, "steps": 2 } }
            """)));
        Assert.True(new FileInfo(_app.At("out/textures.png")).Length > 0);
        Done(_app.Run("train", "--resume", "--out", "out"));
        Done(_app.Run("sample", "--checkpoint", "out", "--count", "2", "--steps", "2", "--label", "2", "--out", "drawn"));
        Assert.True(File.Exists(_app.At("drawn/textures.png")));
        Done(_app.Run("img2img", "--checkpoint", "out", "--count", "2", "--steps", "2", "--label", "1"));
    }

    [Fact]
    public void Train_FolderWithDamagedFiles_StopsOrSkipsAndSaysSo()
    {
        Directory.CreateDirectory(_app.At("images"));
        foreach (var name in new[] { "brick.png", "grass.png" })
        {
            File.Copy(Repository($"samples/data/textures/{name}"), _app.At($"images/{name}"));
        }

        File.WriteAllBytes(_app.At("images/cut.png"), File.ReadAllBytes(_app.At("images/brick.png"))[..5000]);
        var failed = _app.Run("train", "--config", Configure(Folder("false")));
        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("cut.png: truncated", failed.Error + failed.Output, StringComparison.Ordinal);

        var skipped = _app.Run("train", "--config", Configure(Folder("true")));
        Done(skipped);
        Assert.Contains("skipped: 1", skipped.Output, StringComparison.Ordinal);
        Assert.Contains("cut.png: truncated", skipped.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(_app.At("out/samples.png")));
    }

    public void Dispose() => _app.Dispose();

    private static string Folder(string skipCorrupt) => $$"""
        { "data": { "kind": "folder", "path": "images", "folder": { "skipCorrupt": {{skipCorrupt}} }, "augmentation": { "cropFrom": 40, "horizontalFlip": true } }, {{SampleProcess.Model}},
          "training": { "batchSize": 4, "steps": 2 }, "sampling": { "count": 2, "steps": 2 } }
        """;

    private static string Repository(string path) => Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", path)).Replace('\\', '/');

    private string Configure(string json)
    {
        File.WriteAllText(_app.At("data.json"), json);
        return _app.At("data.json");
    }

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Error + run.Output);
}
