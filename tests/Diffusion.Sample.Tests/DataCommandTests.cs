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
        var trained = _app.Run("train", "--config", Configure($$"""
            { "data": { "kind": "textures", "path": "{{photographs}}" }, {{model}},
              "training": { "batchSize": 4, "steps": 3, "loader": { "order": "classBalanced", "prefetch": 1 } }, "sampling": { "count": 6, "steps": 2 } }
            """));
        Done(trained);
        Assert.Contains("(Train): 1 .md", Joined(trained.Output), StringComparison.Ordinal);
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

    /// <summary>The codecs say of a file that is cut off the same in other words.</summary>
    [Fact]
    public void Codec_OfTheCommandLine_ComesBeforeTheConfigurations()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 1"), "--codec", "imageSharp"));
        File.WriteAllBytes(_app.At("cut.png"), File.ReadAllBytes(Repository("samples/data/textures/brick.png"))[..5000]);
        const string OfImageSharp = "is not all there, or damaged";
        foreach (var (options, expected) in new (string[], bool)[] { (["--input", "cut.png"], true), (["--input", "cut.png", "--codec", "skia"], false) })
        {
            var failed = _app.Run(["img2img", "--checkpoint", "out", "--steps", "2", .. options]);
            Assert.Equal(1, failed.ExitCode);
            Assert.Contains("truncated", failed.Error, StringComparison.Ordinal);
            Assert.Equal(expected, failed.Error.Contains(OfImageSharp, StringComparison.Ordinal));
        }

        var masked = _app.Run("inpaint", "--checkpoint", "out", "--steps", "2", "--count", "1", "--mask", "cut.png", "--codec", "imageSharp");
        Assert.Contains(OfImageSharp, masked.Error, StringComparison.Ordinal);
    }

    /// <summary>Files of other formats and folders of other systems, in what is trained on, held out and drawn from.</summary>
    [Fact]
    public void Folders_WithOtherFiles_SayWhatIsLeftOut()
    {
        foreach (var folder in new[] { "images", "kept" })
        {
            Directory.CreateDirectory(_app.At($"{folder}/@eaDir"));
            File.Copy(Repository("samples/data/textures/brick.png"), _app.At($"{folder}/brick.png"));
            File.Copy(Repository("samples/data/textures/grass.png"), _app.At($"{folder}/@eaDir/grass.png"));
            File.WriteAllText(_app.At($"{folder}/photo.HEIC"), "a format that is not read");
        }

        File.WriteAllText(_app.At("images/second.heic"), "another");
        var trained = _app.Run("train", "--config", Configure($$"""
            { "data": { "kind": "folder", "path": "images", "folder": { "validationPath": "kept" } }, {{SampleProcess.Model}},
              "training": { "batchSize": 1, "steps": 1 }, "sampling": { "count": 1, "steps": 2 }, "watch": { "validateEvery": 1 } }
            """));
        Done(trained);
        var output = Joined(trained.Output);
        Assert.Contains("1 images of 1", output, StringComparison.Ordinal);
        Assert.Contains("images: 2 .heic, 1 folders @eaDir", output, StringComparison.Ordinal);
        Assert.Contains("kept: 1 .heic, 1 folders @eaDir", output, StringComparison.Ordinal);
        var changed = _app.Run("img2img", "--checkpoint", "out", "--count", "1", "--steps", "2");
        Done(changed);
        Assert.Contains("2 .heic, 1 folders @eaDir", Joined(changed.Output), StringComparison.Ordinal);
    }

    /// <summary>The next run would train on what this one drew.</summary>
    [Fact]
    public void Results_AmongTheImages_AreRefusedBeforeAnyWork()
    {
        Directory.CreateDirectory(_app.At("images/brick"));
        File.Copy(Repository("samples/data/textures/brick.png"), _app.At("images/brick/1.png"));
        var config = Configure(Folder("false"));
        Refused("train", "--config", config, "--out", "images");
        Refused("train", "--config", config, "--out", "images/brick/run");
        Refused("forward", "--config", config, "--count", "1", "--out", "images/run");
        var trained = _app.Run("train", "--config", config, "--out", "images-2");
        Done(trained);
        Assert.Contains("1 images are fewer than the 4 of a step", Joined(trained.Output), StringComparison.Ordinal);
        Refused("train", "--config", config, "--resume", "--out", "images/run");
        Refused("sample", "--checkpoint", "images-2", "--out", "images/run");
        Refused("compare", "--checkpoints", "images-2", "--out", "images");
        Refused("evaluate", "--checkpoint", "images-2", "--keep", "images/run");
        if (!OperatingSystem.IsWindows()) // where a link needs rights of its own
        {
            Directory.CreateSymbolicLink(_app.At("link"), _app.At("images"));
            Refused("sample", "--checkpoint", "images-2", "--out", "link/run");
        }

        Assert.Equal([_app.At("images/brick")], Directory.GetFileSystemEntries(_app.At("images")));
        Assert.Single(Directory.GetFileSystemEntries(_app.At("images/brick")));

        void Refused(params string[] arguments)
        {
            var (code, output, error) = _app.Run(arguments);
            Assert.True(code == 2 && error.Contains("the folder of the run's images", StringComparison.Ordinal), error + output);
        }
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

    /// <summary>Without the line ends of a console of 80 columns.</summary>
    private static string Joined(string output) => string.Join(' ', output.Split((char[])['\r', '\n', ' '], StringSplitOptions.RemoveEmptyEntries));

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Error + run.Output);
}
