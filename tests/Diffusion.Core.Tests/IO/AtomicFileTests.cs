namespace Diffusion.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(230, 'a')]
    [InlineData(255, 'a')]
    [InlineData(85, '猫')] // 255 bytes
    [InlineData(126, '\uD83D')] // halves of 63 letters of four bytes
    public void Write_LongestNames_HaveATemporaryNameToo(int length, char letter)
    {
        var name = letter == '\uD83D' ? string.Concat(Enumerable.Repeat("🐈", length / 2)) : new string(letter, length);
        AtomicFile.WriteText(_folder.At(name), "content");
        Assert.Equal([name], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Write_PathsOfMoreThan260Letters_AreWritten()
    {
        var path = _folder.At(Path.Combine([.. Enumerable.Repeat(new string('d', 60), 6), "model.safetensors"]));
        Assert.True(path.Length > 360);
        AtomicFile.WriteText(path, "content");
        Assert.Equal("content", File.ReadAllText(path));
    }

    [Fact]
    public void Write_ToAFolder_SaysSo()
    {
        Directory.CreateDirectory(_folder.At("run"));
        foreach (var path in (string[])[_folder.At("run"), _folder.At("other") + Path.DirectorySeparatorChar])
        {
            Assert.Equal($"'{path}' is a folder; the name of a file is needed.", Assert.Throws<IOException>(() => AtomicFile.WriteText(path, "")).Message);
        }

        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Write_Fails_LeavesWhatWasThere()
    {
        AtomicFile.WriteText(_folder.At("a"), "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(_folder.At("a"), stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(_folder.At("a")));
        Assert.Equal(["a"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("NUL")]
    [InlineData("con.png")]
    [InlineData("digits.")]
    public void Write_NamesThatWindowsDoesNotTake_AreRefusedThere(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), "Other systems take every name.");
        Assert.StartsWith($"'{_folder.At(name)}' cannot be written: '{name}' ", Assert.Throws<IOException>(() => AtomicFile.WriteText(_folder.At(name), "")).Message, StringComparison.Ordinal);
    }
}
