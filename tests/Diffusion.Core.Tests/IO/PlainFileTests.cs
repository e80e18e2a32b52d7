using System.Net.Sockets;

namespace Diffusion.Tests;

public sealed class PlainFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OpenRead_WhatIsNoFile_IsRefusedByName()
    {
        SkipOnWindows();
        var (pipe, link) = (NamedPipe.At(_folder.At("pipe")), _folder.At("link"));
        File.CreateSymbolicLink(link, pipe);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder.At("socket")));
        foreach (var (path, kind) in ((string, string)[])[(pipe, "a named pipe"), (link, "a named pipe"), (_folder.At("socket"), "a socket"), ("/dev/null", "a device"), ("/dev/zero", "a device")])
        {
            Assert.Equal($"'{path}' is {kind}; a file is needed.", Assert.Throws<InvalidDataException>(() => PlainFile.OpenRead(path)).Message);
            Assert.Equal($"'{path}' is {kind}; a file is needed.", Assert.Throws<InvalidDataException>(() => PlainFile.ReadText(path)).Message);
            Assert.Equal($"'{path}' is {kind}, which is not replaced; the name of a file is needed.", Assert.Throws<IOException>(() => AtomicFile.WriteText(path, "")).Message);
        }

        Assert.Equal(["link", "pipe", "socket"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void OpenRead_Files_AreOpened()
    {
        File.WriteAllText(_folder.At("empty"), "");
        File.WriteAllText(_folder.At("text"), "text");
        Assert.Equal("", PlainFile.ReadText(_folder.At("empty")));
        Assert.Equal("text", PlainFile.ReadText(_folder.At("text")));
        Assert.Throws<FileNotFoundException>(() => PlainFile.OpenRead(_folder.At("absent")));
        Assert.Throws<UnauthorizedAccessException>(() => PlainFile.OpenRead(_folder.Path));
        Assert.Null(PlainFile.OtherKind(_folder.Path));
    }

    [Fact]
    public void ReadText_WhatTheCallerOpened_MayBeAPipe()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "names of open files by number");
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        pipe.Write("text"u8);
        var path = $"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
        Assert.Equal("a named pipe", PlainFile.OtherKind(path));
        using var reader = new StreamReader(PlainFile.OpenRead(path));
        pipe.DisposeLocalCopyOfClientHandle();
        pipe.Dispose();
        Assert.Equal("text", reader.ReadToEnd());
    }

    private static void SkipOnWindows() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such files in folders");
}
