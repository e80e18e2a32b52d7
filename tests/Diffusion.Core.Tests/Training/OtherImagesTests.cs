using System.Text.Json.Nodes;

namespace Diffusion.Tests;

/// <summary>A resumed run goes on with the images that it was started on.</summary>
public sealed class OtherImagesTests : IDisposable
{
    private static readonly string[] s_names = ["a", "b", "c"];
    private readonly TemporaryFolder _folder = new();
    private readonly ListLogger _log = new();

    [Fact]
    public void Resume_OtherClasses_NamesBothLists()
    {
        Start(new NamedImages(s_names));
        var message = Refused(new NamedImages(["b", "c", "z"]));
        Assert.Contains("classes [a, b, c] → [b, c, z] (label 0: a → b)", message, StringComparison.Ordinal);
        Assert.Contains("CheckpointOptions.OtherImages", message, StringComparison.Ordinal);
        Assert.Contains("'named'", message, StringComparison.Ordinal);
        Assert.Contains("3 classes → 2", Refused(new NamedImages([]) { Classes = 2 }), StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_ManyClasses_NamesTheFirstAndTheOneThatDiffers()
    {
        string[] names = [.. Enumerable.Range(0, 1000).Select(i => $"n{i}")];
        Start(new NamedImages(names) { Classes = 1000 });
        var message = Refused(new NamedImages([.. names[..700], "other", .. names[701..]]) { Classes = 1000 });
        Assert.Contains("n19 and 980 more] → ", message, StringComparison.Ordinal);
        Assert.Contains("(label 700: n700 → other)", message, StringComparison.Ordinal);
        Assert.DoesNotContain("n20,", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_OtherImagesOfTheSameCount_SaysWhichPartDiffers()
    {
        Start(new NamedImages(s_names, null, Parts("sizes 1", "names 1")));
        var message = Refused(new NamedImages(s_names, null, Parts("sizes 2", "names 1")));
        Assert.Contains("file sizes sizes 1 → sizes 2", message, StringComparison.Ordinal);
        Assert.DoesNotContain("file names", message, StringComparison.Ordinal);
    }

    /// <summary>Those of a source of one's own, which says no more than its labels.</summary>
    [Fact]
    public void Resume_OtherLabels_IsRefused()
    {
        Start(new NamedImages([], [0, 0, 1, 1, 2, 2]));
        Assert.Contains(": labels ", Refused(new NamedImages([], [0, 1, 0, 1, 2, 2])), StringComparison.Ordinal);
        Assert.Contains("6 images → 7", Refused(new NamedImages([], [0, 0, 1, 1, 2, 2, 2])), StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_TheSameImages_GoesOn()
    {
        Start(new NamedImages(["\ud800", "é", "\"<&>\\"], null, Parts("s", "é\n\ud800")));
        Resume(new NamedImages(["\ud800", "é", "\"<&>\\"], null, Parts("s", "é\n\ufffd")));
        Assert.Equal(["\ufffd", "é", "\"<&>\\"], Checkpoint.Newest(_folder.Path)!.ClassNames);
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public void Resume_WhatOneOfThemDoesNotSay_GoesOn()
    {
        Start(new NamedImages(s_names, null, new Dictionary<string, string> { ["file names"] = "1" }));
        Resume(new NamedImages([], null, new Dictionary<string, string> { ["another version's part"] = "2" }));
        Assert.Empty(Checkpoint.Newest(_folder.Path)!.ClassNames);
    }

    [Fact]
    public void Resume_CheckpointOfAnOlderVersion_GoesOnAndKeepsTheImages()
    {
        Start(new NamedImages(s_names));
        var path = Path.Combine(Checkpoint.Newest(_folder.Path)!.Folder, CheckpointManifest.FileName);
        var manifest = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Assert.True(manifest.Remove("images"));
        File.WriteAllText(path, manifest.ToJsonString().ReplaceLineEndings("\r\n"));
        Assert.Empty(Checkpoint.Newest(_folder.Path)!.ClassNames);
        Resume(new NamedImages(["x", "y", "z"]));
        Assert.Equal(["x", "y", "z"], Checkpoint.Newest(_folder.Path)!.ClassNames);
    }

    [Fact]
    public void Resume_OtherImagesAllowed_GoesOnAndSaysWhatDiffers()
    {
        Start(new NamedImages(s_names, null, Parts("1", "1")));
        Resume(new NamedImages(["x", "y", "z"], [0, 1, 2, 0], Parts("2", "1")), allowed: true);
        Assert.Equal(["x", "y", "z"], Checkpoint.Newest(_folder.Path)!.ClassNames);
        foreach (var change in new[] { "12 images → 4", "classes [a, b, c] → [x, y, z] (label 0: a → x)", "file sizes 1 → 2", "labels " })
        {
            Assert.Contains(_log.Lines, line => line.StartsWith($"Warning: The run goes on with other images, named: {change}", StringComparison.Ordinal));
        }

        Assert.DoesNotContain(_log.Lines, line => line.Contains("file names", StringComparison.Ordinal));
        Assert.Contains("classes [x, y, z]", Refused(new NamedImages(s_names, [0, 1, 2, 0], Parts("2", "1"))), StringComparison.Ordinal);
    }

    /// <summary>Within a program, another source is no accident; other classes and another number are.</summary>
    [Fact]
    public void Steps_AnotherSource_MayHaveOtherImagesOfTheSameClasses()
    {
        using var network = new TinyNetwork();
        using var trainer = Trainer(network, allowed: false);
        Assert.Equal(2, trainer.Steps(new NamedImages(s_names, null, Parts("1", "1"))).Take(2).Count());
        Assert.Equal(2, trainer.Steps(new NamedImages(s_names, [.. Enumerable.Repeat(2L, 12)], Parts("2", "2"))).Take(2).Count());
        Assert.Throws<InvalidOperationException>(() => trainer.Steps(new NamedImages(["x", "y", "z"])));
        Assert.Throws<InvalidOperationException>(() => trainer.Steps(new NamedImages(s_names, [0, 1, 2])));
    }

    [Fact]
    public void Steps_NotOneNameForEachClass_IsRefused()
    {
        using var network = new TinyNetwork();
        using var trainer = Trainer(network, allowed: false);
        Assert.Contains("has 3 classes, and 2 ClassNames", Assert.Throws<InvalidDataException>(() => trainer.Steps(new NamedImages(["a", "b"]))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static Dictionary<string, string> Parts(string sizes, string names) => new() { ["file sizes"] = sizes, ["file names"] = Fingerprints.Of([names]) };

    private Trainer Trainer(TinyNetwork network, bool allowed) => new(
        network,
        new LinearNoiseSchedule(),
        new TrainerOptions { Steps = 6, BatchSize = 2, Checkpoints = new CheckpointOptions { Folder = _folder.Path, OtherImages = allowed } },
        logger: _log);

    private void Start(NamedImages images)
    {
        using var network = new TinyNetwork();
        using var trainer = Trainer(network, allowed: false);
        trainer.Fit(images, stopAfter: 3);
    }

    private void Resume(NamedImages images, bool allowed = false)
    {
        using var network = new TinyNetwork();
        using var trainer = Trainer(network, allowed);
        Assert.True(trainer.Resume());
        trainer.Fit(images, stopAfter: 1);
        Assert.Equal(4, trainer.StepsDone);
    }

    private string Refused(NamedImages images)
    {
        using var network = new TinyNetwork();
        using var trainer = Trainer(network, allowed: false);
        Assert.True(trainer.Resume());
        var step = trainer.StepsDone;
        var message = Assert.Throws<InvalidOperationException>(() => trainer.Fit(images)).Message;
        Assert.Equal((step, step), (trainer.StepsDone, Checkpoint.Newest(_folder.Path)!.Step));
        return message;
    }
}
