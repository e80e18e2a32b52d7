namespace Diffusion.Imaging.Tests;

public abstract partial class CodecTests
{
    [Theory]
    [InlineData("png")]
    [InlineData("bmp")]
    [InlineData("gif")]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void Decode_CutAnywhere_IsAnErrorOrTheWholeImage(string format)
    {
        var file = Encode(format, Picture(format));
        var whole = Decode(file);
        var refused = 0;
        for (var length = 0; length < file.Length; length++)
        {
            try
            {
                TestImages.AssertEqual(whole, Decode(file[..length])); // what is missing says nothing about the pixels
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.True(file.Length - refused <= 24, $"{refused} of {file.Length} cuts were refused"); // the end marks are short
    }

    /// <summary>Any byte of a file: what comes back is an image or an InvalidDataException, never another one.</summary>
    [Theory]
    [InlineData("png")]
    [InlineData("bmp")]
    [InlineData("gif")]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void Decode_AnyByteChanged_IsAnImageOrRefused(string format)
    {
        var file = Encode(format, TestImages.Noise(9, 7, 3));
        var refused = 0;
        for (var i = 0; i < file.Length; i++)
        {
            var changed = (byte[])file.Clone();
            changed[i] ^= (byte)(1 << (i % 8));
            try
            {
                Decode(changed);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.NotEqual(0, refused);
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
                Decode(changed);
                accepted.Add(i);
            }
            catch (InvalidDataException)
            {
            }
        }

        Assert.Empty(accepted);
    }

    [Theory]
    [InlineData(30, false)]
    [InlineData(71, false)]
    [InlineData(72, true)]
    [InlineData(500, true)]
    public void Decode_PngOfFewerRowsThanItDeclares_IsTruncated(int bytes, bool whole)
    {
        var png = PngBytes.Of(PngBytes.Header(8, 8, 8, PngBytes.Grey), PngBytes.Chunk("IDAT", PngBytes.Compressed(new byte[bytes])));
        if (whole)
        {
            TestImages.AssertEqual(TestImages.Constant(8, 8, 1, 0), Decode(png));
        }
        else
        {
            Assert.Contains("truncated", Assert.Throws<InvalidDataException>(() => Decode(png)).Message);
        }
    }

    [Fact]
    public void Decode_GifWhoseCodesEndEarly_IsAnError()
    {
        byte[] codes = [0b01_001_100, 0b1011_00]; // clear, 1, 1, 6, end: 1 + 1 + 2 pixels
        Assert.Throws<InvalidDataException>(() => Decode(Gif(0, 0, 4, 4, codes)));
        TestImages.AssertEqual(TestImages.From(1, 1, 3, (_, _, c) => (byte)(40 + (10 * c))), new PixelImage(1, 1, 3, Decode(Gif(0, 0, 2, 1, codes)).Pixels[..3].ToArray()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a text")]
    [InlineData("<html>not here</html>")]
    public void Decode_NotAnImage_SaysSo(string text)
        => Assert.Contains("not a PNG", Assert.Throws<InvalidDataException>(() => Decode(System.Text.Encoding.ASCII.GetBytes(text))).Message);

    /// <summary>A few bytes in each format that declare a picture which fills any memory.</summary>
    public static TheoryData<string, byte[], string> Declared { get; } = new()
    {
        { "png", PngBytes.Of(PngBytes.Header(32000, 32000, 8, PngBytes.Rgb), PngBytes.Chunk("IDAT", PngBytes.Compressed(new byte[100]))), "32000×32000 pixels, more than the 134217728" },
        { "png, a long side", PngBytes.Of(PngBytes.Header(1100000, 3, 1, PngBytes.Grey), PngBytes.Chunk("IDAT", PngBytes.Compressed(new byte[100]))), "1100000×3 pixels; a width or height of more than 1000000" },
        { "jpeg", [0xff, 0xd8, .. ExifBytes.Segment(0xc0, [8, 0x7d, 0, 0x7d, 0, 1, 1, 0x11, 0]), .. ExifBytes.Segment(0xda, [1, 1, 0, 0, 63, 0]), 0, 0xff, 0xd9], "32000×32000" },
        { "gif", [.. "GIF89a"u8, 0, 0x7d, 0, 0x7d, 0x80, 0, 0, 1, 2, 3, 4, 5, 6, 0x2c, 0, 0, 0, 0, 0, 0x7d, 0, 0x7d, 0, 2, 2, 0x44, 1, 0, 0x3b], "32000×32000" },
        { "webp", WebP(15000, 15000), "15000×15000" },
    };

    [Theory]
    [MemberData(nameof(Declared))]
    public void Decode_DeclaresAbsurdSize_NamesItWithoutAllocating(string format, byte[] file, string expected)
    {
        Assert.NotEmpty(format);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Decode(file)).Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20);
    }

    [Fact]
    public void Decode_BmpDeclaresAbsurdSize_NamesItWithoutAllocating()
    {
        var file = TestImages.Bmp(TestImages.Noise(4, 4, 3));
        BitConverter.TryWriteBytes(file.AsSpan(18), 32000);
        BitConverter.TryWriteBytes(file.AsSpan(22), 32000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("32000×32000", Assert.Throws<InvalidDataException>(() => Decode(file)).Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20);
    }

    [Fact]
    public void Decode_StreamWithoutLength_IsReadWhole()
    {
        var image = TestImages.Noise(40, 30, 3);
        using var stream = new OneWayStream(TestImages.Png(image));
        TestImages.AssertEqual(image, Codec.Decode(stream));
    }

    [Fact]
    public void Decode_FromTheMiddleOfAStream_ReadsFromThere()
    {
        var image = TestImages.Noise(4, 3, 3);
        using var stream = new MemoryStream([1, 2, 3, .. TestImages.Png(image)]) { Position = 3 };
        TestImages.AssertEqual(image, Codec.Decode(stream));
    }

    [Fact]
    public void Decode_MoreBytesThanAreRead_IsRefusedBeforeTheyAre()
    {
        using var stream = new FileStream(_folder.File("large.png"), FileMode.Create);
        stream.SetLength((1L << 30) + 1); // a hole: it takes no space
        Assert.Contains("1073741825 bytes", Assert.Throws<InvalidDataException>(() => Codec.Decode(stream)).Message);
    }

    /// <summary>A lossless WebP that declares a size and has next to nothing of it.</summary>
    private static byte[] WebP(int width, int height)
    {
        byte[] pixels = [0x2f, .. BitConverter.GetBytes((uint)(width - 1) | ((uint)(height - 1) << 14)), .. new byte[20]];
        byte[] body = [.. "WEBP"u8, .. ExifBytes.Chunk("VP8L", pixels)];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }
}
