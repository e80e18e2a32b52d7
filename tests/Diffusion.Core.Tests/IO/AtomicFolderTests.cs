using System.Collections.Concurrent;

namespace Diffusion.Tests;

public sealed class AtomicFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.At("step-1");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_OverAnOlderOne_ReplacesIt()
    {
        Write("old");
        Write("new");
        Assert.Equal(["new"], Contents());
        Assert.Equal(["step-1"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Write_NotToReplace_LeavesTheOlderOne()
    {
        Write("old");
        AtomicFolder.Write(Target, folder => File.WriteAllText(Path.Combine(folder, "new"), ""), replaces: () => false);
        Assert.Equal(["old"], Contents());
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Write_Fails_LeavesTheOlderOne()
    {
        Write("old");
        Assert.Throws<InvalidOperationException>(() => AtomicFolder.Write(Target, folder =>
        {
            File.WriteAllText(Path.Combine(folder, "half"), "");
            throw new InvalidOperationException();
        }));
        Assert.Equal(["old"], Contents());
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Recover_KilledWhileTheOldOneWasAside_PutsItBack()
    {
        Write("old");
        Directory.Move(Target, _folder.At($".step-1.{Guid.NewGuid():N}.old"));
        Directory.CreateDirectory(_folder.At($".step-1.{Guid.NewGuid():N}.tmp"));
        AtomicFolder.Recover(_folder.Path, "step-*");
        Assert.Equal(["old"], Contents());
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Recover_KilledBeforeTheOldOneWasDeleted_DeletesIt()
    {
        Write("new");
        Directory.CreateDirectory(_folder.At($".step-1.{Guid.NewGuid():N}.old"));
        Directory.CreateDirectory(_folder.At(".step-.old")); // not of this
        AtomicFolder.Recover(_folder.Path, "step-*");
        Assert.Equal(["new"], Contents());
        Assert.Equal([".step-.old", "step-1"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    /// <summary>So that at no moment there is half a folder under its name.</summary>
    [Fact]
    public void Delete_Folder_IsRenamedFirst()
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "it does not tell the order of what happened to a file");
        Write("a");
        using var watcher = new FileSystemWatcher(_folder.Path) { NotifyFilter = NotifyFilters.DirectoryName };
        using var events = new BlockingCollection<FileSystemEventArgs>();
        watcher.Deleted += (_, e) => events.Add(e);
        watcher.Renamed += (_, e) => events.Add(e);
        watcher.EnableRaisingEvents = true;
        AtomicFolder.Delete(Target);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
        Assert.True(events.TryTake(out var first, TimeSpan.FromMinutes(1)), "nothing happened");
        var renamed = Assert.IsType<RenamedEventArgs>(first);
        Assert.Equal("step-1", renamed.OldName);
        Assert.Matches(@"^\.step-1\.[0-9a-f]{32}\.tmp$", renamed.Name);
        watcher.EnableRaisingEvents = false;
        AtomicFolder.Delete(Target); // which is not there
    }

    private void Write(string file) => AtomicFolder.Write(Target, folder => File.WriteAllText(Path.Combine(folder, file), ""));

    private string[] Contents() => [.. Directory.GetFiles(Target).Select(path => Path.GetFileName(path))];
}
