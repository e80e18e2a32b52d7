namespace Diffusion.Tests;

public sealed class SharingViolationTests
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(50);

    [Theory]
    [InlineData(0x80070020, false)] // ERROR_SHARING_VIOLATION
    [InlineData(0x80070021, false)] // ERROR_LOCK_VIOLATION
    [InlineData(0x800704C8, false)] // ERROR_USER_MAPPED_FILE
    [InlineData(0x80070091, true)] // ERROR_DIR_NOT_EMPTY
    public void Wait_UntilTheOtherProcessIsDone_TriesAgain(uint error, bool onWindows)
    {
        var calls = 0;
        SharingViolation.Wait("x", () => Fail(++calls, 4, () => new IOException("open", unchecked((int)error))), onWindows, TimeSpan.FromMinutes(1));
        Assert.Equal(4, calls);
    }

    [Fact]
    public void Wait_DeniedOnWindows_TriesAgain()
    {
        var calls = 0;
        SharingViolation.Wait("x", () => Fail(++calls, 2, () => new UnauthorizedAccessException()), onWindows: true, TimeSpan.FromMinutes(1));
        Assert.Equal(2, calls);
    }

    [Fact]
    public void Wait_TheOtherProcessStays_NamesTheFile()
    {
        var calls = 0;
        var error = Assert.Throws<IOException>(() => SharingViolation.Wait("model.safetensors", () => Fail(++calls, int.MaxValue, () => new IOException("in use", unchecked((int)0x80070020))), onWindows: false, s_short));
        Assert.Equal("'model.safetensors' cannot be changed: another process has it or something in it open, or it may not be written. Close it there. (in use)", error.Message);
        Assert.InRange(calls, 2, 10);
    }

    [Fact]
    public void Wait_OtherErrors_AreNotTriedAgain()
    {
        var calls = 0;
        Assert.Throws<IOException>(() => SharingViolation.Wait("x", () => Fail(++calls, 2, () => new IOException("full", unchecked((int)0x80070070))), onWindows: true, TimeSpan.FromMinutes(1)));
        Assert.Throws<UnauthorizedAccessException>(() => SharingViolation.Wait("x", () => Fail(++calls, 3, () => new UnauthorizedAccessException()), onWindows: false, TimeSpan.FromMinutes(1)));
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task Write_FileOpenElsewhere_IsReplacedOnceItIsClosed()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("a.txt");
        AtomicFile.WriteText(path, "old");
        var open = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var writing = Task.Run(() => AtomicFile.WriteText(path, "new"), TestContext.Current.CancellationToken);
        await Task.WhenAny(writing, Task.Delay(200, TestContext.Current.CancellationToken));
        Assert.Equal(!OperatingSystem.IsWindows(), writing.IsCompleted);
        await open.DisposeAsync();
        await writing;
        Assert.Equal("new", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    private static void Fail(int call, int until, Func<Exception> error)
    {
        if (call < until)
        {
            throw error();
        }
    }
}
