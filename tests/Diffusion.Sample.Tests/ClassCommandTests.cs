using Diffusion.Configuration;
using Diffusion.Imaging;

namespace Diffusion.Sample.Tests;

/// <summary>Which label is which class: shown, stored, and compared when a run is resumed.</summary>
public sealed class ClassCommandTests : IDisposable
{
    private readonly SampleProcess _app = new();

    /// <summary>Folders named by numbers, in ordinal order: label 1 is not class "1".</summary>
    [Fact]
    public void Sample_ByName_SaysWhichLabelItIs()
    {
        Write("images", ("1", 2), ("10", 1), ("2", 3));
        var trained = Done("train", "--config", Configure("images", 3));
        Assert.Contains("label 0: class \"1\", 2 images", trained, StringComparison.Ordinal);
        Assert.Contains("label 1: class \"10\", 1 image", trained, StringComparison.Ordinal);
        Assert.Contains("label 2: class \"2\", 3 images", trained, StringComparison.Ordinal);
        Assert.Equal(["1", "10", "2"], RunConfiguration.Load(_app.At("out/config.json")).Data.ClassNames);

        Assert.Contains("label 2: class \"2\"", Done("sample", "--checkpoint", "out", "--label", "2", "--count", "1", "--steps", "2"), StringComparison.Ordinal);
        Assert.Contains("label 0: class \"1\"", Done("img2img", "--checkpoint", "out", "--label", "0", "--count", "1", "--steps", "2"), StringComparison.Ordinal);
        var inTurn = Done("sample", "--checkpoint", "out", "--count", "2", "--steps", "2");
        Assert.Contains("label 1: class \"10\"", inTurn, StringComparison.Ordinal);
        Assert.DoesNotContain("label 2", inTurn, StringComparison.Ordinal);
        foreach (var path in new[] { "out", "out/checkpoints/step-00000002" })
        {
            Assert.Matches("label 1 .*class \"10\"", Done("info", path));
        }

        Wrong(2, ["sample", "--checkpoint", "out", "--label", "cat"], "--label 'cat' is no class, and no number in [0, 2]. The classes are [1, 10, 2].");
    }

    [Fact]
    public void Train_ResumedOnOtherClasses_IsRefusedUnlessTheyAreAllowed()
    {
        Write("images", ("a", 2), ("b", 2));
        Done("train", "--config", Configure("images", 2), "--stop-after", "1");
        Directory.Move(_app.At("images"), _app.At("moved"));
        Done("train", "--config", Configure("moved", 2), "--resume", "--stop-after", "1");

        Directory.Move(_app.At("moved/a"), _app.At("moved/z"));
        var before = File.ReadAllText(_app.At("out/config.json"));
        foreach (var config in new[] { Array.Empty<string>(), ["--config", _app.At("run.json")] })
        {
            Wrong(1, ["train", "--resume", .. config], "classes [a, b] ", " [b, z] (label 0: a ", "--other-images");
        }

        Assert.Equal(before, File.ReadAllText(_app.At("out/config.json")));
        Wrong(2, ["train", "--config", _app.At("run.json"), "--other-images"], "--other-images goes with --resume or --from");
        Done("train", "--resume", "--other-images");
        Assert.Equal(["b", "z"], RunConfiguration.Load(_app.At("out/config.json")).Data.ClassNames);
    }

    /// <summary>A picture of class b under the name of one of class a: names, sizes and labels stay.</summary>
    [Fact]
    public void Train_ResumedOnAnotherPictureOfEqualSize_IsRefused()
    {
        Write("images", ("a", 2), ("b", 2));
        Done("train", "--config", Configure("images", 2), "--stop-after", "1");
        Assert.Equal(new FileInfo(_app.At("images/a/0.png")).Length, new FileInfo(_app.At("images/b/1.png")).Length);
        File.Copy(_app.At("images/b/1.png"), _app.At("images/a/0.png"), overwrite: true);
        Wrong(1, ["train", "--resume"], "file contents ", "--other-images");
        Done("train", "--resume", "--other-images");
    }

    /// <summary>A run that begins with the weights of another has its labels.</summary>
    [Fact]
    public void Train_FromOtherClasses_IsRefusedUnlessTheyAreAllowed()
    {
        Write("images", ("a", 2), ("b", 2));
        Done("train", "--config", Configure("images", 2));
        Done("train", "--from", "out", "--out", "same", "--steps", "1");
        Directory.Move(_app.At("images/a"), _app.At("images/z"));
        foreach (var config in new[] { Array.Empty<string>(), ["--config", _app.At("run.json")] })
        {
            Wrong(2, ["train", "--from", "out", "--out", "other", .. config], "knows the classes [a, b], and the images have [b, z] (label 0: a there, b here)", "--other-images");
            Assert.False(Directory.Exists(_app.At("other")));
        }

        Done("train", "--from", "out", "--out", "other", "--steps", "1", "--other-images");
        Assert.Equal(["b", "z"], RunConfiguration.Load(_app.At("other/config.json")).Data.ClassNames);
    }

    /// <summary>The configuration may say which classes there must be, and a finished run of a version without names may be done again.</summary>
    [Fact]
    public void Train_ClassNamesInTheConfiguration_MustBeThoseOfTheImages()
    {
        Write("images", ("a", 1), ("b", 1));
        Wrong(2, ["train", "--config", Configure("images", 2, """ "classNames": [ "b", "a" ], """)], "data.classNames must be the classes of the images", "they are [b, a]", "has [a, b]");
        Done("train", "--config", Configure("images", 2));
        var copy = _app.At("out/config.json");
        var run = RunConfiguration.Load(copy);
        File.WriteAllText(copy, RunConfiguration.ToJson(run with { Data = run.Data with { ClassNames = null } }));
        Done("train", "--config", _app.At("run.json"));
        Directory.Move(_app.At("images/a"), _app.At("images/c"));
        Wrong(2, ["train", "--config", _app.At("run.json")], "holds the results of another run");
    }

    public void Dispose() => _app.Dispose();

    private void Write(string folder, params (string Name, int Count)[] classes)
    {
        foreach (var (name, count) in classes)
        {
            for (var i = 0; i < count; i++)
            {
                var pixels = new byte[64];
                Array.Fill(pixels, (byte)((10 * name[0]) + i)); // of one grey, another in each
                ImageFile.Save(Path.Combine(Directory.CreateDirectory(_app.At($"{folder}/{name}")).FullName, $"{i}.png"), new PixelImage(8, 8, 1, pixels));
            }
        }
    }

    private string Configure(string folder, int classes, string data = "")
    {
        var model = SampleProcess.Model.Insert(SampleProcess.Model.LastIndexOf('}'), $$""", "dialect": { "labels": { "classes": {{classes + 1}} } } """);
        File.WriteAllText(_app.At("run.json"), $$"""
            { "data": { "kind": "folder", "path": "{{folder}}", {{data}} "size": 8 }, {{model}},
              "training": { "batchSize": 2, "steps": 3, "checkpoints": { "every": 2 } }, "sampling": { "count": 2, "steps": 2 } }
            """);
        return _app.At("run.json");
    }

    private string Done(params string[] arguments)
    {
        var run = _app.Run(arguments);
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        return run.Output;
    }

    private void Wrong(int exitCode, string[] arguments, params string[] parts)
    {
        var run = _app.Run(arguments);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.All(parts, part => Assert.Contains(part, run.Error, StringComparison.Ordinal));
    }
}
