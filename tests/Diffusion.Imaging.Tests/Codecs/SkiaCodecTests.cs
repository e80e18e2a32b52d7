using SkiaSharp;

namespace Diffusion.Imaging.Tests;

public sealed class SkiaCodecTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(28, 28, 1)]
    [InlineData(31, 17, 3)]
    [InlineData(1, 9, 3)]
    public void EncodePng_Decoded_IsTheSameImage(int width, int height, int channels)
    {
        var image = TestImages.Noise(width, height, channels);
        TestImages.AssertEqual(image, TestImages.Decode(TestImages.Png(image)));
    }

    [Fact]
    public void EncodePng_Twice_GivesTheSameBytes()
        => Assert.Equal(TestImages.Png(TestImages.Noise(40, 30, 3)), TestImages.Png(TestImages.Noise(40, 30, 3)));

    [Theory]
    [InlineData("png", 0)]
    [InlineData("bmp", 0)]
    [InlineData("gif", 0)]
    [InlineData("jpeg", 4)]
    [InlineData("webp", 6)]
    public void Decode_EveryFormat_GivesTheImage(string format, int tolerance)
    {
        var image = Picture(format);
        TestImages.AssertEqual(image, TestImages.Decode(Encode(format, image)), tolerance);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("bmp")]
    [InlineData("gif")]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void Decode_CutAnywhere_IsAnErrorOrTheWholeImage(string format)
    {
        var file = Encode(format, Picture(format));
        var whole = TestImages.Decode(file);
        var refused = 0;
        for (var length = 0; length < file.Length; length++)
        {
            try
            {
                TestImages.AssertEqual(whole, TestImages.Decode(file[..length])); // what is missing says nothing about the pixels
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.True(file.Length - refused <= 24, $"{refused} of {file.Length} cuts were refused"); // the end marks are short
    }

    [Fact]
    public void Decode_PngWithOneByteOfItsPixelsChanged_IsAnError()
    {
        var file = TestImages.Png(TestImages.Noise(12, 10, 3));
        var pixels = file.AsSpan().IndexOf("IDAT"u8);
        var accepted = new List<int>();
        for (var i = pixels + 4; i < file.Length - 16; i++)
        {
            var changed = (byte[])file.Clone();
            changed[i] ^= 0x10;
            try
            {
                TestImages.Decode(changed);
                accepted.Add(i);
            }
            catch (InvalidDataException)
            {
            }
        }

        Assert.Empty(accepted);
    }

    [Fact]
    public void Decode_GifOfSeveralFrames_GivesTheFirst()
    {
        var (first, second) = (TestImages.Constant(6, 5, 1, 30), TestImages.Constant(6, 5, 1, 220));
        TestImages.AssertEqual(first.WithChannels(3), TestImages.Decode(TestImages.Gif(_folder, first, second)));
    }

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
    public void Decode_NotAnImage_SaysSo()
        => Assert.Contains("not a PNG", Assert.Throws<InvalidDataException>(() => TestImages.Decode("a text"u8.ToArray())).Message);

    [Fact]
    public void Decode_HeaderDeclaresAbsurdSize_RefusesWithoutAllocating()
    {
        var file = TestImages.Bmp(TestImages.Noise(4, 4, 3));
        BitConverter.TryWriteBytes(file.AsSpan(18), 32000);
        BitConverter.TryWriteBytes(file.AsSpan(22), 32000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("32000×32000", Assert.Throws<InvalidDataException>(() => TestImages.Decode(file)).Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
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

    private static PixelImage Picture(string format)
        => format == "gif" ? TestImages.From(24, 20, 3, (x, y, c) => (byte)(c == 0 ? x * 10 : c == 1 ? y / 2 * 12 : 77)) : TestImages.Smooth(24, 20, 3);

    private byte[] Encode(string format, PixelImage image) => format switch
    {
        "png" => TestImages.Png(image),
        "bmp" => TestImages.Bmp(image),
        "gif" => TestImages.Gif(_folder, image),
        "jpeg" => TestImages.Encode(image, SKEncodedImageFormat.Jpeg),
        _ => TestImages.Encode(image, SKEncodedImageFormat.Webp),
    };
}
