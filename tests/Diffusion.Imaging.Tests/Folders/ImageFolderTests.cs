namespace Diffusion.Imaging.Tests;

public sealed class ImageFolderTests : IDisposable
{
    private static readonly ImageFolderOptions s_small = new() { Height = 6, Width = 8 };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_Subfolders_AreTheClassesInOrdinalOrder()
    {
        foreach (var name in (string[])["b/2.png", "C/1.png", "a/deep/er/9.png", "a/1.PNG", "b/10.png"])
        {
            _folder.Write(name, TestImages.Constant(8, 6, 3, (byte)name.Length));
        }

        using var images = ImageFolder.Open(_folder.Path, s_small);
        Assert.Equal(["C", "a", "b"], images.ClassNames);
        Assert.Equal(["C/1.png", "a/1.PNG", "a/deep/er/9.png", "b/10.png", "b/2.png"], images.RelativePaths);
        Assert.Equal((5, 3, new ImageShape(3, 6, 8)), (images.Count, images.Classes, images.Shape));
        using var batch = images.Read([4, 0, 2]);
        Assert.Equal([2L, 0, 1], batch.Labels!.data<long>().ToArray());
        Assert.Equal([7, 7, 15], Enumerable.Range(0, 3).Select(i => (int)PixelImage.FromTensor(batch.Images[i]).Pixels[0]));
    }

    [Fact]
    public void Open_ImagesDirectly_HaveNoLabels()
    {
        _folder.Write("b.png", TestImages.Constant(8, 6, 1, 2));
        _folder.Write("a.png", TestImages.Constant(8, 6, 1, 1));
        Directory.CreateDirectory(_folder.File("notes/x"));
        using var images = ImageFolder.Open(_folder.Path, s_small with { Channels = 1 });
        using var batch = images.Read([1, 0]);
        Assert.Equal((2, 0), (images.Count, images.Classes));
        Assert.Null(batch.Labels);
        Assert.Equal([2, 1], Enumerable.Range(0, 2).Select(i => (int)PixelImage.FromTensor(batch.Images[i]).Pixels[0]));
    }

    [Fact]
    public void Open_FilesWrittenInAnotherOrder_GiveTheSameImages()
    {
        string[] names = ["x/c.png", "x/a.png", "y/b.png", "y/a 1.png", "y/a.png"];
        using var other = new TemporaryFolder();
        for (var i = 0; i < names.Length; i++)
        {
            _folder.Write(names[i], TestImages.Noise(8, 6, 3, i));
            other.Write(names[^(i + 1)], TestImages.Noise(8, 6, 3, names.Length - 1 - i));
        }

        using var first = ImageFolder.Open(_folder.Path, s_small);
        using var second = ImageFolder.Open(other.Path, s_small);
        Assert.Equal(first.RelativePaths, second.RelativePaths);
        using var one = first.Read([0, 1, 2, 3, 4]);
        using var two = second.Read([0, 1, 2, 3, 4]);
        Assert.Equal(one.Images.data<float>().ToArray(), two.Images.data<float>().ToArray());
        Assert.Equal([0L, 0, 1, 1, 1], two.Labels!.data<long>().ToArray());
    }

    [Fact]
    public void Open_OtherFiles_AreIgnored()
    {
        _folder.Write("cats/1.png", TestImages.Constant(8, 6, 3, 1));
        string[] others =
        [
            ".DS_Store", "Thumbs.db", "readme.txt", "cats/list.csv", "cats/.hidden.png", "cats/._1.png", "cats/.thumbs/1.png", ".git/x.png",
            "__MACOSX/cats/1.png", ".top.png",
        ];
        foreach (var name in others)
        {
            _folder.Write(name, "not an image"u8.ToArray());
        }

        using var images = ImageFolder.Open(_folder.Path, s_small);
        Assert.Equal(["cats/1.png"], images.RelativePaths);
        Assert.Equal(["cats"], images.ClassNames);
    }

    [Fact]
    public void Open_Mixed_SaysThatItIsEitherOr()
    {
        _folder.Write("top.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("cats/1.png", TestImages.Constant(8, 6, 3, 1));
        var error = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_small));
        Assert.Contains("top.png", error.Message);
        Assert.Contains("cats/1.png", error.Message);
        Assert.Contains("Either all images lie in subfolders", error.Message);
    }

    [Fact]
    public void Open_NothingToRead_SaysWhatIsNeeded()
    {
        Assert.Contains(".png", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path)).Message);
        Assert.Throws<DirectoryNotFoundException>(() => ImageFolder.Open(_folder.File("none")));
        _folder.Write("cats/1.png", TestImages.Constant(8, 6, 3, 1));
        Directory.CreateDirectory(_folder.File("dogs/x"));
        Assert.Contains("no images in dogs", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path)).Message);
    }

    [Fact]
    public void Open_BadImages_AreAllNamedInOneMessage()
    {
        _folder.Write("good.png", TestImages.Noise(8, 6, 3));
        _folder.Write("cut.png", TestImages.Png(TestImages.Noise(30, 30, 3))[..900]);
        _folder.Write("text.png", "Dear diary"u8.ToArray());
        _folder.Write("empty.jpg", []);
        var error = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_small));
        Assert.Contains("3 of 4 images", error.Message);
        Assert.Contains("cut.png: truncated", error.Message);
        Assert.Contains("text.png: not a PNG", error.Message);
        Assert.Contains("empty.jpg: not a PNG", error.Message);
        Assert.DoesNotContain("good.png", error.Message);
    }

    [Fact]
    public void Open_ManyBadImages_ListsTwentyAndCountsTheRest()
    {
        for (var i = 0; i < 33; i++)
        {
            _folder.Write($"{i:00}.png", [1, 2, 3]);
        }

        var message = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_small)).Message;
        Assert.Contains("33 of 33", message);
        Assert.Contains("19.png", message);
        Assert.DoesNotContain("20.png", message);
        Assert.Contains("and 13 more", message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3 * 6 * 8 * 3)] // three of the five
    [InlineData(1 << 20)]
    public void Read_Batch_EqualsSingleReadsWhateverTheCache(long memoryLimit)
    {
        PixelImage[] originals =
        [
            TestImages.Noise(8, 6, 3, 1), TestImages.Noise(31, 17, 3, 2), TestImages.Noise(5, 5, 1, 3), TestImages.Noise(1, 9, 3, 4),
            TestImages.Noise(64, 48, 1, 5),
        ];
        for (var i = 0; i < originals.Length; i++)
        {
            _folder.Write($"{i}.png", originals[i]);
        }

        using var images = ImageFolder.Open(_folder.Path, s_small with { MemoryLimit = memoryLimit });
        int[] order = [3, 0, 4, 4, 1, 2];
        using var batch = images.Read(order);
        Assert.Equal([6, 3, 6, 8], batch.Images.shape);
        for (var i = 0; i < order.Length; i++)
        {
            using var single = images.Read([order[i]]);
            Assert.Equal(single.Images.data<float>().ToArray(), batch.Images[i].data<float>().ToArray());
            TestImages.AssertEqual(originals[order[i]].WithChannels(3).Resize(8, 6), PixelImage.FromTensor(single.Images));
        }
    }

    [Fact]
    public void Read_GreyWanted_ConvertsBeforeResizing()
    {
        var rgb = TestImages.Noise(32, 24, 3);
        _folder.Write("rgb.png", rgb);
        using var images = ImageFolder.Open(_folder.Path, s_small with { Channels = 1, Fit = ImageFit.Stretch });
        using var batch = images.Read([0]);
        TestImages.AssertEqual(rgb.WithChannels(1).Resize(8, 6, ImageFit.Stretch), PixelImage.FromTensor(batch.Images));
    }

    [Fact]
    public void Read_FileGoneOrChanged_NamesIt()
    {
        var gone = _folder.Write("a.png", TestImages.Noise(8, 6, 3, 1));
        var changed = _folder.Write("b.png", TestImages.Noise(8, 6, 3, 2));
        _folder.Write("c.png", TestImages.Noise(8, 6, 3, 3));
        using var images = ImageFolder.Open(_folder.Path, s_small with { MemoryLimit = 0 });
        File.Delete(gone);
        File.WriteAllBytes(changed, TestImages.Png(TestImages.Noise(9, 9, 3)));
        var error = Assert.Throws<IOException>(() => images.Read([2, 0]));
        Assert.Contains($"{gone} has gone", error.Message);
        error = Assert.Throws<IOException>(() => images.Read([1, 2]));
        Assert.Contains($"{changed} has changed", error.Message);
        images.Read([2]).Dispose();
    }

    [Fact]
    public void Read_FileGoneButCached_StillReads()
    {
        var path = _folder.Write("a.png", TestImages.Noise(8, 6, 3));
        using var images = ImageFolder.Open(_folder.Path, s_small);
        File.Delete(path);
        using var batch = images.Read([0]);
        TestImages.AssertEqual(TestImages.Noise(8, 6, 3), PixelImage.FromTensor(batch.Images));
    }

    [Fact]
    public void Open_CodecOfAStranger_ReadsItsFiles()
    {
        var (grey, rgb) = (TestImages.Noise(8, 6, 1), TestImages.Noise(8, 6, 3));
        _folder.Write("a.pgm", PortableMapCodec.Encode(grey));
        _folder.Write("b.ppm", PortableMapCodec.Encode(rgb));
        _folder.Write("c.png", "ignored: not an extension of this codec"u8.ToArray());
        var options = s_small with { Codec = new PortableMapCodec() };
        using (var images = ImageFolder.Open(_folder.Path, options))
        {
            using var batch = images.Read([0, 1]);
            Assert.Equal(2, images.Count);
            TestImages.AssertEqual(grey.WithChannels(3), PixelImage.FromTensor(batch.Images[0]));
            TestImages.AssertEqual(rgb, PixelImage.FromTensor(batch.Images[1]));
        }

        _folder.Write("d.pgm", PortableMapCodec.Encode(grey)[..^1]);
        _folder.Write("e.pgm", "P5\nnumbers?"u8.ToArray()); // this codec throws a FormatException: the file is named all the same
        var message = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, options)).Message;
        Assert.Contains("d.pgm: truncated", message);
        Assert.Contains("e.pgm: ", message);
    }

    [Fact]
    public void Open_ImpossibleOptions_AreAllNamed()
    {
        var options = new ImageFolderOptions { Height = 0, Width = -3, Channels = 2, Fit = (ImageFit)9, MemoryLimit = -1, Codec = null! };
        var message = Assert.Throws<ArgumentException>(() => ImageFolder.Open(_folder.Path, options)).Message;
        string[] expected =
        [
            "6 mistake(s)", "Height: must be at least 1; it is 0.", "Width: must be at least 1; it is -3.", "Channels: must be 1 (grey) or 3 (RGB); it is 2.", "Fit: must be one of", "it is 9.",
            "MemoryLimit: must be at least 0; it is -1.", "Codec: must decode the images; it is null.",
        ];
        Assert.All(expected, part => Assert.Contains(part, message));
    }

    [Fact]
    public void Dispose_Twice_ThenReadThrows()
    {
        _folder.Write("a.png", TestImages.Noise(8, 6, 3));
        var images = ImageFolder.Open(_folder.Path, s_small);
        Assert.Throws<ArgumentOutOfRangeException>(() => images.Read([1]));
        images.Dispose();
        images.Dispose();
        Assert.Throws<ObjectDisposedException>(() => images.Read([0]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public void Read_100Times_LeaksNoTensor(long memoryLimit)
    {
        _folder.Write("x/a.png", TestImages.Noise(8, 6, 3));
        using var images = ImageFolder.Open(_folder.Path, s_small with { MemoryLimit = memoryLimit });
        Leaks.AssertNone(() => images.Read([0, 0]).Dispose());
        File.Delete(_folder.File("x/a.png"));
        if (memoryLimit == 0)
        {
            Leaks.AssertNone(() => Assert.Throws<IOException>(() => images.Read([0, 0])));
        }
    }

    [Fact]
    public void Open_WhatOtherSystemsLeave_IsPassedOver()
    {
        string[] names =
        [
            "cats/0.png", "cats/@eaDir/0.png/SYNOPHOTO_THUMB_M.png", "@eaDir/0.png", "lost+found/0.png", "$RECYCLE.BIN/0.png", "cats/__MACOSX/0.png", "cats/.thumbs/0.png", "cats/._0.png",
            "@Recycle/0.png", "@Recently-Snapshot/GMT+01/cats/0.png", ".@__thumb/default0.png", "cats/.@__thumb/s1000.png", "@RECYCLE/0.png", "#snapshot/0.png", "@tmp/0.png", "~snapshot/daily/cats/0.png",
            ".snapshot/0.png", "RECYCLER/S-1-5-21/Dc1.png", "Recycled/0.png", "system volume information/0.png", ".Spotlight-V100/0.png", "cats/~$0.png", "cats/0.png:Zone.Identifier", "cats/0.png.crdownload",
        ];
        foreach (var name in names.Where(name => !OperatingSystem.IsWindows() || !name.Contains(':', StringComparison.Ordinal)))
        {
            _folder.Write(name, TestImages.Constant(8, 6, 3, 1));
        }

        using var images = ImageFolder.Open(_folder.Path, s_small);
        Assert.Equal(["cats"], images.ClassNames);
        Assert.Equal(["cats/0.png"], images.RelativePaths);
    }

    [Fact]
    public void Open_NameThatWindowsCannotOpen_IsNamedThere()
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), "Other systems open every name.");
        Directory.CreateDirectory(@"\\?\" + _folder.File("cats."));
        Assert.Contains("'cats.' ends with a dot", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_small)).Message, StringComparison.Ordinal);
        Directory.Delete(@"\\?\" + _folder.File("cats."));
    }

    [Fact]
    public void Open_FoldersWithoutEnd_AreAnError()
    {
        _folder.Write(string.Concat(Enumerable.Repeat("a/", 65)) + "0.png", TestImages.Constant(8, 6, 3, 1));
        Assert.Contains("lies more than 64 folders deep", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, s_small)).Message, StringComparison.Ordinal);
        Assert.Equal(["a"], ImageFolder.FindClasses(_folder.File("a"), s_small));
    }
}
