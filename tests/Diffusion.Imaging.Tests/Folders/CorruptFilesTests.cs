namespace Diffusion.Imaging.Tests;

/// <summary>Folders with files that cannot be read.</summary>
public sealed class CorruptFilesTests : IDisposable
{
    private static readonly ImageFolderOptions s_skip = new() { Height = 6, Width = 8, SkipCorrupt = true };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(2 * 6 * 8 * 3)] // some of the good ones
    [InlineData(1 << 20)]
    public void Open_Skip_LeavesOutWhatIsDamagedAndSaysWhy(long memoryLimit)
    {
        var jpeg = TestImages.Encode(TestImages.Smooth(64, 64, 3), SkiaSharp.SKEncodedImageFormat.Jpeg);
        var png = TestImages.Png(TestImages.Noise(30, 30, 3));
        _folder.Write("cats/1.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("cats/2.png", png[..900]);
        _folder.Write("cats/3.png", TestImages.Constant(8, 6, 3, 3));
        _folder.Write("dogs/1.jpg", jpeg[..(jpeg.Length / 2)]);
        _folder.Write("dogs/2.png", Overwritten(png, 200));
        _folder.Write("dogs/3.png", TestImages.Constant(8, 6, 3, 5));
        _folder.Write("dogs/4.gif", []);

        using var images = ImageFolder.Open(_folder.Path, s_skip with { MemoryLimit = memoryLimit });
        Assert.Equal(["cats/2.png", "dogs/1.jpg", "dogs/2.png", "dogs/4.gif"], images.SkippedFiles.Select(file => file.Path));
        Assert.Contains("truncated", images.SkippedFiles[0].Reason);
        Assert.Contains("cut off in its first bytes", images.SkippedFiles[3].Reason);
        Assert.Equal(["cats/1.png", "cats/3.png", "dogs/3.png"], images.RelativePaths);
        Assert.Equal([0L, 0, 1], images.Labels!);
        using var batch = images.Read([2, 0, 1]);
        Assert.Equal([1L, 0, 0], batch.Labels!.data<long>().ToArray());
        Assert.Equal([5, 1, 3], Enumerable.Range(0, 3).Select(i => (int)PixelImage.FromTensor(batch.Images[i]).Pixels[0]));

        var error = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_skip with { SkipCorrupt = false }));
        Assert.Contains("4 of 7 images", error.Message);
    }

    [Fact]
    public void Open_SkipWithNothingWrong_SkipsNothing()
    {
        _folder.Write("1.png", TestImages.Constant(8, 6, 3, 1));
        using var images = ImageFolder.Open(_folder.Path, s_skip);
        Assert.Empty(images.SkippedFiles);
        Assert.Null(images.Labels);
    }

    [Fact]
    public void Open_SkipWithNothingLeft_ListsThemAll()
    {
        _folder.Write("1.png", [1, 2, 3]);
        _folder.Write("2.png", []);
        var message = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_skip)).Message;
        Assert.Contains("2 of 2 images cannot be used", message);
        Assert.Contains("1.png: not a PNG", message);
    }

    [Fact]
    public void Open_SkipWithNothingLeftOfAClass_NamesTheClass()
    {
        _folder.Write("cats/1.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("dogs/1.png", [1, 2, 3]);
        Assert.Contains("no image can be read in dogs", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_skip)).Message);
    }

    [Fact]
    public void Open_NoLabels_TakesImagesAtAnyDepth()
    {
        foreach (var name in (string[])["top.png", "a/1.png", "a/b/2.png", "__MACOSX/a/1.png", ".hidden/1.png"])
        {
            _folder.Write(name, TestImages.Constant(8, 6, 3, 1));
        }

        using var images = ImageFolder.Open(_folder.Path, s_skip with { Labels = false });
        Assert.Equal(["a/1.png", "a/b/2.png", "top.png"], images.RelativePaths);
        Assert.Equal(0, images.Classes);
        using var empty = new TemporaryFolder();
        Assert.Throws<InvalidDataException>(() => ImageFolder.Open(empty.Path, s_skip with { Labels = false }));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1 << 20, false)]
    public void Read_FileDamagedLater_NamesItUnlessItIsInMemory(long memoryLimit, bool fails)
    {
        _folder.Write("a.png", TestImages.Noise(30, 30, 3, 1));
        var path = _folder.Write("b.png", TestImages.Noise(30, 30, 3, 2));
        using var images = ImageFolder.Open(_folder.Path, s_skip with { MemoryLimit = memoryLimit });
        var written = File.GetLastWriteTimeUtc(path);
        File.WriteAllBytes(path, Overwritten(File.ReadAllBytes(path), 200));
        File.SetLastWriteTimeUtc(path, written); // as a failing disk would: nothing says that it changed
        if (fails)
        {
            var error = Assert.Throws<IOException>(() => images.Read([0, 1]));
            Assert.Contains($"{path} can no longer be read", error.Message);
            Assert.IsType<InvalidDataException>(error.InnerException);
        }
        else
        {
            images.Read([0, 1]).Dispose();
        }
    }

    private static byte[] Overwritten(byte[] file, int at)
    {
        var copy = file.ToArray();
        copy.AsSpan(at, 400).Fill(0xA5);
        return copy;
    }
}
