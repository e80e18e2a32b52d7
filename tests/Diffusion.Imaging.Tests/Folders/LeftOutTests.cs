using System.Diagnostics;
using System.Net.Sockets;

namespace Diffusion.Imaging.Tests;

/// <summary>What a folder holds beside its images is counted.</summary>
public sealed class LeftOutTests : IDisposable
{
    private static readonly ImageFolderOptions s_small = new() { Height = 6, Width = 8 };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_JpegByEveryExtension_IsRead()
    {
        var jpeg = TestImages.Encode(TestImages.Smooth(8, 6, 3), SkiaSharp.SKEncodedImageFormat.Jpeg);
        string[] names = ["a.JFIF", "b.JPG", "c.jfif", "d.jpe", "e.jpeg", "f.jpg", "g.png"]; // the last: what it is stands in the file, not in its name
        foreach (var name in names)
        {
            _folder.Write(name, jpeg);
        }

        using var images = ImageFolder.Open(_folder.Path, s_small);
        Assert.Equal(names, images.RelativePaths);
        Assert.Empty(images.LeftOut);
        TestImages.AssertEqual(TestImages.Smooth(8, 6, 3), ImageFile.Load(_folder.File("d.jpe")), tolerance: 4);
    }

    [Fact]
    public void Open_OtherFiles_AreCountedByExtension()
    {
        foreach (var name in (string[])["z.heic", "x.tif", "y.TIF", "cats.avif", "notes", "end.", "labels.txt", ".hidden.png", "sub/.DS_Store", ".git/1.png", "@eaDir/1.png", "sub/@eaDir/2.png", "__MACOSX/3.png"])
        {
            _folder.Write(name, [1]);
        }

        _folder.Write("a.png", TestImages.Constant(8, 6, 3, 1));
        using var images = ImageFolder.Open(_folder.Path, s_small);
        Assert.Equal(1, images.Count);
        Assert.Equal(
            [(".tif", 2), ("folders @eaDir", 2), ("hidden files", 2), ("without an extension", 2), (".avif", 1), (".heic", 1), (".txt", 1), ("folders __MACOSX", 1), ("hidden folders", 1)],
            images.LeftOut);
    }

    [Fact]
    public void Open_FilesOfSystems_AreCountedByName()
    {
        string[] names = ["Thumbs.db", "sub/THUMBS.DB", "desktop.ini", "~$a.png", "a.png.crdownload", "b.jpg.part", "c.tmp"];
        string[] elsewhere = OperatingSystem.IsWindows() ? [] : ["Icon\r", "a.png:Zone.Identifier"];
        foreach (var name in names.Concat(elsewhere))
        {
            _folder.Write(name, [1]);
        }

        _folder.Write("a.png", TestImages.Constant(8, 6, 3, 1));
        using var images = ImageFolder.Open(_folder.Path, s_small);
        (string, int)[] expected = [(".crdownload", 1), (".part", 1), (".tmp", 1), ("files :Zone.Identifier", 1), ("files Icon", 1), ("files Thumbs.db", 2), ("files desktop.ini", 1), ("files ~$", 1)];
        Assert.Equal(["a.png"], images.RelativePaths);
        Assert.Equal(expected.Where(each => elsewhere.Length > 0 || !(each.Item1.EndsWith("Icon") || each.Item1.EndsWith("Identifier"))), images.LeftOut.OrderBy(each => each.What, StringComparer.Ordinal));
    }

    [Fact]
    public void Open_ClassWithoutImages_SaysWhatItHolds()
    {
        _folder.Write("a/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("d/x.heic", [1]);
        _folder.Write("d/deep/y.HEIC", [1]);
        Directory.CreateDirectory(_folder.File("e"));
        Assert.Contains("no images in d (2 .heic), e.", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_small)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Textures_CountWhatTheyLeaveOut()
    {
        var textures = new TextureCropOptions { Size = 4, SmallestCrop = 2, LargestCrop = 4 };
        foreach (var name in (string[])["README.md", "b.heic", ".hidden.png", "sub/1.png", "@eaDir/a.png"])
        {
            _folder.Write(name, [1]);
        }

        var message = Assert.Throws<InvalidDataException>(() => TextureCrops.Open(_folder.Path, Split.Train, textures)).Message;
        Assert.Contains("It has others: 1 .heic, 1 .md, 1 folders @eaDir, 1 hidden files, 1 subfolders.", message, StringComparison.Ordinal);
        _folder.Write("a.png", TestImages.Noise(16, 16, 1));
        using var images = TextureCrops.Open(_folder.Path, Split.Train, textures);
        Assert.Equal(["a"], images.ClassNames);
        Assert.Equal([(".heic", 1), (".md", 1), ("folders @eaDir", 1), ("hidden files", 1), ("subfolders", 1)], images.LeftOut);
    }

    [Fact]
    public void Open_UnreadableImages_AreCountedToo()
    {
        _folder.Write("a.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("b.png", [1, 2, 3]);
        _folder.Write("c.jpg", []);
        _folder.Write("d.psd", [1]);
        using var images = ImageFolder.Open(_folder.Path, s_small with { SkipCorrupt = true });
        Assert.Equal([("that cannot be read", 2), (".psd", 1)], images.LeftOut);
        Assert.Equal(["b.png", "c.jpg"], images.SkippedFiles.Select(file => file.Path));
    }

    [Fact]
    public void Open_NoImageButOtherFiles_SaysWhich()
    {
        _folder.Write("a.heic", [1]);
        _folder.Write("b.heic", [1]);
        var message = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_small)).Message;
        Assert.Contains("holds no images", message);
        Assert.Contains("It has others: 2 .heic.", message);
    }

    [Fact]
    public async Task Open_PipeSocketAndDevice_AreNamedAndNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes, sockets and devices in folders.");
        _folder.Write("a.png", TestImages.Constant(8, 6, 3, 1));
        using (var mkfifo = Process.Start("mkfifo", [_folder.File("pipe.png")]))
        {
            await mkfifo.WaitForExitAsync();
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder.File("socket.png")));
        File.CreateSymbolicLink(_folder.File("device.png"), "/dev/zero");
        File.CreateSymbolicLink(_folder.File("link.png"), "pipe.png");
        File.CreateSymbolicLink(_folder.File("whole.png"), "a.png");
        using var images = await Task.Run(() => ImageFolder.Open(_folder.Path, s_small with { SkipCorrupt = true })).WaitAsync(TimeSpan.FromSeconds(60)); // else it waits for a pipe
        Assert.Equal(["a.png", "whole.png"], images.RelativePaths);
        Assert.Equal(["device.png", "link.png", "pipe.png", "socket.png"], images.SkippedFiles.Select(file => file.Path));
        Assert.All(images.SkippedFiles, file => Assert.Contains("a pipe, a socket or a device", file.Reason));
        var message = Assert.Throws<InvalidDataException>(() => ImageFile.Load(_folder.File("pipe.png"))).Message;
        Assert.Contains($"{_folder.File("pipe.png")}: ", message);
    }

    /// <summary>What a shell has opened and names, as in --input &lt;(command).</summary>
    [Fact]
    public void Load_PipeThatIsOpenAlready_IsRead()
    {
        Assert.SkipUnless(Directory.Exists("/proc/self/fd"), "This system does not name open files so.");
        var image = TestImages.Noise(8, 6, 3);
        using var server = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        var number = server.ClientSafePipeHandle.DangerousGetHandle();
        server.Write(TestImages.Png(image));
        server.Flush();
        using var end = new Timer(_ => server.Dispose(), null, 500, Timeout.Infinite);
        TestImages.AssertEqual(image, ImageFile.Load($"/proc/self/fd/{number}"));
    }
}
