using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample.Tests;

/// <summary>What the images of a folder are that nobody has said a shape of: all of them count, not the first alone.</summary>
public sealed class GivenImagesTests : IDisposable
{
    private static readonly PixelImage s_grey = new(3, 2, 1, [0, 50, 100, 150, 200, 250]);
    private static readonly PixelImage s_coloured = new(3, 2, 3, [.. Enumerable.Range(0, 18).Select(i => (byte)(i * 10))]);

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("grey coloured", 3)]
    [InlineData("coloured grey", 3)]
    [InlineData("grey grey", 1)]
    [InlineData("greyInThree grey", 1)]
    [InlineData("grey greyInThree coloured", 3)]
    public void Open_GreyAndColouredFiles_KeepsTheColours(string files, int channels)
    {
        ArgumentNullException.ThrowIfNull(files);
        var images = files.Split(' ');
        for (var i = 0; i < images.Length; i++)
        {
            ImageFile.Save(_folder.File($"{i}.png"), images[i] == "grey" ? s_grey : images[i] == "coloured" ? s_coloured : s_grey.WithChannels(3));
        }

        using var scope = NewDisposeScope();
        using var given = GivenImages.Open(_folder.Path, null, ImageFile.DefaultCodec);
        Assert.Equal(new ImageShape(channels, 2, 3), given.Shape);
        var read = cat([.. given.Batches(new Observer<double>(_ => { }), CancellationToken.None)]).add(1).mul(127.5).round().to(ScalarType.Byte);
        for (var i = 0; i < images.Length; i++)
        {
            var expected = images[i] == "coloured" ? s_coloured : s_grey.WithChannels(channels);
            Assert.Equal(expected.Pixels.ToArray(), read[i].permute(1, 2, 0).contiguous().data<byte>().ToArray());
        }
    }

    /// <summary>As folders of images are read everywhere: what systems put beside them is no image.</summary>
    [Fact]
    public void Open_HiddenFileBeforeTheImages_IsLeftOut()
    {
        ImageFile.Save(_folder.File("a.png"), s_coloured);
        _folder.Write("._a.png", [1, 2, 3]);
        using var given = GivenImages.Open(_folder.Path, null, ImageFile.DefaultCodec);
        Assert.Equal((1, new ImageShape(3, 2, 3)), (given.Count, given.Shape));
    }

    [Fact]
    public void Open_ImagesOfOtherSizes_NamesThem()
    {
        ImageFile.Save(_folder.File("a.png"), s_grey);
        ImageFile.Save(_folder.File("b.png"), new PixelImage(2, 2, 1, [1, 2, 3, 4]));
        var error = Assert.Throws<InvalidDataException>(() => GivenImages.Open(_folder.Path, null, ImageFile.DefaultCodec));
        Assert.Contains("1 of 2 images cannot be used", error.Message, StringComparison.Ordinal);
        Assert.Contains("b.png: it has 2×2 pixels, and 3×2 are needed", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
