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

    private void Write(string file) => AtomicFolder.Write(Target, folder => File.WriteAllText(Path.Combine(folder, file), ""));

    private string[] Contents() => [.. Directory.GetFiles(Target).Select(path => Path.GetFileName(path))];
}
