using Diffusion.Configuration;

namespace Diffusion.Sample.Tests;

/// <summary>What files that are passed on say of the folders of a machine.</summary>
public sealed class SharedPathTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Name_Path_IsTheWayFromTheCurrentFolderOrTheNameAlone()
    {
        var (here, root) = (Directory.GetCurrentDirectory(), Path.GetPathRoot(AppContext.BaseDirectory)!);
        Assert.Equal("data/mnist (Test)", SharedPaths.Name(Path.Combine(AppContext.BaseDirectory, "data", "mnist (Test)")));
        Assert.Equal("out/run/ema.safetensors", SharedPaths.Name(Path.Combine("out", "run", "ema.safetensors")));
        Assert.Equal("digits", SharedPaths.Name(Path.Combine(here, "digits") + Path.DirectorySeparatorChar));
        Assert.Equal("digits", SharedPaths.Name(Path.Combine(root, "home", "somebody", "digits")));
        Assert.Equal("digits (Train)", SharedPaths.Name(Path.Combine(here, "..", "..", "digits (Train)")));
        Assert.Equal("images", SharedPaths.Name(root));
        Assert.Equal(Path.GetFileName(here), Path.GetFileName(SharedPaths.Name(".")));
    }

    /// <summary>The images lie elsewhere: whatever convert writes has their name alone.</summary>
    [Fact]
    public void Convert_ToAFile_SaysNothingOfTheMachine()
    {
        var config = _app.Configure("\"steps\": 1");
        Done("train", "--config", config);
        Done("convert", "--from", "out", "--to", "model");
        foreach (string[] command in new string[][] { ["model"], ["out"], ["out/model.safetensors", "--config", config], ["model", "--type", "float16"], ["out", "--dialect", "course", "--reverse"] })
        {
            Assert.Contains("Its images are those of 'mnist'", Unbroken(Done(["convert", "--to", "passed/on.safetensors", "--from", .. command])), StringComparison.Ordinal);
            var header = Safetensors.ReadMetadata(_app.At("passed/on.safetensors"));
            Assert.Equal("mnist", RunConfiguration.Parse(header[RunConfiguration.MetadataKey]).Data.Path);
            Assert.All(header.Values, text => Assert.DoesNotContain(Path.GetFileName(_app.At("").TrimEnd('/', '\\')), text, StringComparison.Ordinal));
        }
    }

    /// <summary>The images lie below the current folder: the file has the way to them, and the commands find them.</summary>
    [Fact]
    public void Convert_ToAFileBesideTheImages_KeepsTheWay()
    {
        Done("train", "--config", _app.Configure("\"steps\": 1"), "--out", "first");
        Done("sample", "--checkpoint", "first", "--count", "1", "--steps", "1");
        Directory.CreateDirectory(_app.At("data/photos"));
        File.Copy(_app.At("out/digits.png"), _app.At("data/photos/a.png"));
        File.WriteAllText(_app.At("own.json"), $$"""{ "data": { "kind": "folder", "path": "data/photos" }, {{SampleProcess.Model}}, "training": { "steps": 1, "batchSize": 1 }, "sampling": { "count": 1, "steps": 4 } }""");
        Done("train", "--config", "own.json", "--out", "second");
        Done("convert", "--from", "second", "--to", "models/mine");
        foreach (var from in new[] { "second", "models/mine" })
        {
            Done("convert", "--from", from, "--to", "passed/on.safetensors");
            Assert.Equal("../data/photos", RunConfiguration.Parse(Safetensors.ReadMetadata(_app.At("passed/on.safetensors"))[RunConfiguration.MetadataKey]).Data.Path);
            Done("img2img", "--checkpoint", "passed/on.safetensors", "--count", "1");
        }
    }

    public void Dispose() => _app.Dispose();

    private static string Unbroken(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private string Done(params string[] arguments)
    {
        var run = _app.Run(arguments);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return run.Output;
    }
}
