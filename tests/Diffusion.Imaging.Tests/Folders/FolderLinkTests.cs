namespace Diffusion.Imaging.Tests;

/// <summary>Links to folders: followed where they lead elsewhere, errors where they lead upwards or into the folder itself.</summary>
public sealed class FolderLinkTests : IDisposable
{
    private static readonly ImageFolderOptions s_small = new() { Height = 6, Width = 8 };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a/up", "..")]
    [InlineData("a/deep/up", "../..")]
    [InlineData("a/itself", ".")]
    [InlineData("a/above", "../..")]
    public void Open_LinkUpwards_NamesIt(string link, string target)
    {
        _folder.Write("data/a/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("data/a/deep/1.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("data/b/0.png", TestImages.Constant(8, 6, 3, 1));
        Link("data/" + link, target);

        foreach (var labels in new[] { true, false })
        {
            var error = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.File("data"), s_small with { Labels = labels })).Message;
            Assert.Contains(link, error, StringComparison.Ordinal);
            Assert.Contains("link", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_LinksInACircle_NamesOne()
    {
        _folder.Write("data/a/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("data/b/0.png", TestImages.Constant(8, 6, 3, 1));
        Link("data/a/x", "../b");
        Link("data/b/y", "../a");

        Assert.Contains("a/x/y", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.File("data"), s_small)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_LinkToAnotherClass_NamesBoth()
    {
        _folder.Write("data/a/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("data/b/0.png", TestImages.Constant(8, 6, 3, 1));
        Link("data/a/more", "../b");

        Assert.Contains("a/more and b are the same folder", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.File("data"), s_small)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_LinksElsewhere_AreFollowed()
    {
        _folder.Write("cats/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("cats/young/1.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("one.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("data/b/0.png", TestImages.Constant(8, 6, 3, 1));
        Link("data/a", "../cats");
        Link("link", "data");
        File.CreateSymbolicLink(_folder.File("data/b/1.png"), "../../one.png");

        foreach (var folder in (string[])["data", "link"])
        {
            using var images = ImageFolder.Open(_folder.File(folder), s_small);
            Assert.Equal(["a", "b"], images.ClassNames);
            Assert.Equal(["a/0.png", "a/young/1.png", "b/0.png", "b/1.png"], images.RelativePaths);
        }
    }

    /// <summary>The same folder for several classes, or several times for one: images that count more, or have two labels.</summary>
    [Fact]
    public void Open_SeveralLinksToAFolderElsewhere_AreAllFollowed()
    {
        _folder.Write("store/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("store/sub/1.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("data/a/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("data/.kept/0.png", TestImages.Constant(8, 6, 3, 1));
        foreach (var (link, target) in new[] { ("a/s", "../../store"), ("b/s", "../../store"), ("b/t", "../../store"), ("c", "../store/sub"), ("d", ".kept"), ("e", ".kept") })
        {
            Link("data/" + link, target);
        }

        using var images = ImageFolder.Open(_folder.File("data"), s_small);
        Assert.Equal(["a", "b", "c", "d", "e"], images.ClassNames);
        Assert.Equal(["a/0.png", "a/s/0.png", "a/s/sub/1.png", "b/s/0.png", "b/s/sub/1.png", "b/t/0.png", "b/t/sub/1.png", "c/1.png", "d/0.png", "e/0.png"], images.RelativePaths);
    }

    /// <summary>In folders elsewhere, too.</summary>
    [Theory]
    [InlineData("store/up", "..", "a/up")]
    [InlineData("store/itself", "../store", "a/itself")]
    [InlineData("store/other", "../other", "a/other/back")]
    public void Open_LinkElsewhereThatLeadsBack_NamesIt(string link, string target, string named)
    {
        _folder.Write("data/b/0.png", TestImages.Constant(8, 6, 3, 1));
        _folder.Write("store/0.png", TestImages.Constant(8, 6, 3, 1));
        Link("data/a", "../store");
        Link("other/back", "../store");
        Link(link, target);
        Assert.Contains($"{named} leads by a link", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.File("data"), s_small)).Message, StringComparison.Ordinal);
    }

    /// <summary>No link leads upwards, but there are 2^40 paths.</summary>
    [Fact]
    public void Open_TwoLinksInEachOfManyFolders_IsAnError()
    {
        _folder.Write("data/a/0.png", TestImages.Constant(8, 6, 3, 1));
        Directory.CreateDirectory(_folder.File("40"));
        for (var i = 39; i >= 0; i--)
        {
            Link($"{i}/x", $"../{i + 1}");
            Link($"{i}/y", $"../{i + 1}");
        }

        Link("data/b", "../0");
        Assert.Contains("paths by links", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.File("data"), s_small)).Message, StringComparison.Ordinal);
    }

    private void Link(string path, string target)
    {
        var link = _folder.File(path);
        try
        {
            Directory.CreateSymbolicLink(link, target.Replace('/', Path.DirectorySeparatorChar));
        }
        catch (Exception e) when (OperatingSystem.IsWindows() && e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"Windows lets only administrators and developers make links: {e.Message}");
        }

        Assert.SkipUnless(Directory.Exists(link), "This system makes no links, although it says so."); // Wine
    }
}
