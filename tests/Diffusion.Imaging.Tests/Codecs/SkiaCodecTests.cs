using SkiaSharp;

namespace Diffusion.Imaging.Tests;

public sealed class SkiaCodecTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(255)]
    [InlineData(0)]
    [InlineData(100)]
    public void Decode_Transparent_LiesOverTheGround(byte ground)
    {
        using var bitmap = new SKBitmap(3, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        bitmap.SetPixel(0, 0, new SKColor(200, 10, 90, 255));
        bitmap.SetPixel(1, 0, new SKColor(200, 10, 90, 0));
        bitmap.SetPixel(2, 0, new SKColor(200, 10, 90, 128));
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        using var stream = new MemoryStream(png.ToArray());
        var image = new SkiaCodec(ground).Decode(stream);
        Assert.Equal([200, 10, 90, ground, ground, ground], image.Pixels[..6].ToArray());
        for (var c = 0; c < 3; c++)
        {
            var exact = ((new[] { 200, 10, 90 }[c] * 128) + (ground * 127)) / 255.0;
            Assert.InRange(image.Pixels[6 + c] - exact, -1.01, 1.01);
        }
    }

    [Fact]
    public void Load_Truncated_NamesFile()
    {
        var path = _folder.Write("cut.png", TestImages.Png(TestImages.Noise(20, 20, 3))[..500]);
        var error = Assert.Throws<InvalidDataException>(() => ImageFile.Load(path));
        Assert.Contains(path, error.Message);
        Assert.Contains("truncated", error.Message);
        Assert.Throws<FileNotFoundException>(() => ImageFile.Load(_folder.File("none.png")));
    }

    [Fact]
    public void Save_Tensor_RoundTripsBits()
    {
        var image = TestImages.Noise(9, 8, 3);
        using var tensor = image.ToTensor();
        ImageFile.Save(_folder.File("new/folder/image.png"), tensor);
        TestImages.AssertEqual(image, ImageFile.Load(_folder.File("new/folder/image.png")));
    }
}
