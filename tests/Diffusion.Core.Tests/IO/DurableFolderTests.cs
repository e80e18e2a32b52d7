namespace Diffusion.Tests;

/// <summary>What is on the disk when: names are flushed with their folder, and before anything older is deleted.</summary>
public sealed class DurableFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        DurableFolder.Flushing = null;
        _folder.Dispose();
    }

    [Fact]
    public void Write_File_FlushesItsFolderOnceItIsThere()
    {
        List<(string Folder, bool IsThere)> flushed = [];
        var path = _folder.At("a/b/c.txt");
        DurableFolder.Flushing = folder => flushed.Add((Path.GetRelativePath(_folder.Path, folder).Replace('\\', '/'), File.Exists(path)));
        AtomicFile.WriteText(path, "new");
        Assert.Equal([(".", false), ("a", false), ("a/b", true)], flushed);
    }

    [Fact]
    public void Write_FolderOverAnOlderOne_FlushesTheNewNameBeforeTheOldOneGoes()
    {
        AtomicFolder.Write(_folder.At("step"), folder => File.WriteAllText(Path.Combine(folder, "old"), ""));
        List<string> flushed = [];
        DurableFolder.Flushing = folder => flushed.Add($"{(folder == _folder.Path ? "." : "inner")}: {string.Join(' ', Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal))}");
        AtomicFolder.Write(_folder.At("step"), folder => File.WriteAllText(Path.Combine(folder, "new"), ""));
        Assert.Equal([".: old", "inner: new old", ".: new old"], flushed);
        Assert.Equal(["new"], Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    /// <summary>What a disk that cannot flush a folder leaves: the new file or folder, whole.</summary>
    [Fact]
    public void Write_FolderAboveCannotBeFlushed_SaysSoAndHasTheNewOne()
    {
        AtomicFile.WriteText(_folder.At("file"), "old");
        AtomicFolder.Write(_folder.At("step"), folder => File.WriteAllText(Path.Combine(folder, "old"), ""));
        DurableFolder.Flushing = folder => _ = folder == _folder.Path ? throw new IOException("flush") : 0;
        Assert.Equal("flush", Assert.Throws<IOException>(() => AtomicFile.WriteText(_folder.At("file"), "new")).Message);
        Assert.Equal("new", File.ReadAllText(_folder.At("file")));
        DurableFolder.Flushing = folder => _ = folder == _folder.Path && File.Exists(_folder.At("step/new")) ? throw new IOException("flush") : 0;
        Assert.Equal("flush", Assert.Throws<IOException>(() => AtomicFolder.Write(_folder.At("step"), folder => File.WriteAllText(Path.Combine(folder, "new"), ""))).Message);
        DurableFolder.Flushing = null;
        AtomicFolder.Recover(_folder.Path, "step*");
        Assert.Equal(["file", "new"], Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    /// <summary>What tests look at is theirs alone.</summary>
    [Fact]
    public void Flushing_OfAnotherCaller_IsNotTold()
    {
        var told = 0;
        var other = new Thread(() =>
        {
            DurableFolder.Flushing = _ => told++;
            DurableFolder.Flush(_folder.Path);
        });
        other.Start();
        other.Join();
        DurableFolder.Flush(_folder.Path);
        Assert.Equal(1, told);
    }

    [Fact]
    public void Fit_OldCheckpoints_GoOnceTheNewOneIsOnTheDisk()
    {
        using var images = new MemoryImages();
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 3, BatchSize = 4, Checkpoints = new() { Folder = _folder.Path, Every = 1, Keep = 1 } });
        List<string> flushed = [];
        DurableFolder.Flushing = folder =>
        {
            if (folder == _folder.Path)
            {
                flushed.Add(string.Join(' ', Checkpoint.List(_folder.Path).Select(Path.GetFileName)));
            }
        };
        trainer.Fit(images);
        Assert.Contains("step-00000002 step-00000001", flushed);
        Assert.Contains("step-00000003 step-00000002", flushed);
        Assert.Equal(["step-00000003"], Checkpoint.List(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Flush_FoldersThatCannotBe_AreLeftAlone()
    {
        DurableFolder.Flush(_folder.Path);
        DurableFolder.Flush(_folder.At("absent"));
        Assert.SkipUnless(Directory.Exists("/proc/self"), "there is no /proc");
        DurableFolder.Flush("/proc/self");
    }
}
