using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample.Tests;

/// <summary>Folders of classes: of the same names on every system, where Windows opens devices for some, drops dots and spaces at the end and does not tell upper from lower case.</summary>
public sealed class ClassFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("dog", "dog")]
    [InlineData("Tabby-cat_2", "Tabby-cat_2")]
    [InlineData("0", "0")]
    [InlineData("COM", "COM")]
    [InlineData("CON", "class-434f4e")]
    [InlineData("nul", "class-6e756c")]
    [InlineData("Com1", "class-436f6d31")]
    [InlineData("aux.txt", "class-6175782e747874")]
    [InlineData("dot.", "class-646f742e")]
    [InlineData("space ", "class-737061636520")]
    [InlineData("..", "class-2e2e")]
    [InlineData("a/b", "class-612f62")]
    [InlineData("", "class-")]
    [InlineData("é", "class-c3a9")]
    [InlineData("class-c3a9", "class-636c6173732d63336139")] // that of another
    [InlineData("recycled", "class-72656379636c6564")] // left out of folders of images
    public void Of_Name_IsOneOfEverySystem(string name, string folder) => Assert.Equal(folder, ClassFolders.Of(["other", name])[name]);

    [Fact]
    public void Of_NamesThatDifferInCaseAlone_AreDifferentFolders()
    {
        var folders = ClassFolders.Of(["dog", "Dog", "cat", "dog"]);
        Assert.Equal(["class-446f67", "class-646f67", "cat"], new[] { folders["Dog"], folders["dog"], folders["cat"] });
        var long1 = ClassFolders.Of([new string('x', 300), new string('y', 300)]).Values;
        Assert.Equal(2, long1.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(long1, name => Assert.InRange(name.Length, 1, 100));
    }

    [Fact]
    public void Write_Images_LieByClassAndAreFoundAgain()
    {
        string[] names = ["CON", "dog", "Dog", "RECYCLER", "end."];
        var kept = new KeptImages(_folder.File("kept"));
        using var images = zeros(5, 1, 4, 4);
        kept.Write(0, images, names);
        using var found = ImageFolder.Open(_folder.File("kept"), new ImageFolderOptions { Height = 4, Width = 4, Channels = 1 });
        Assert.Equal((5, 5), (found.Count, found.Classes));
        Assert.Equal(5, found.ClassNames.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(found.ClassNames, name => Assert.StartsWith("class-", name, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();
}
