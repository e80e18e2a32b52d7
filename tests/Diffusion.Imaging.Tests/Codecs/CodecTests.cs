using SkiaSharp;

namespace Diffusion.Imaging.Tests;

/// <summary>What every codec of ours does: the pixels of each kind of file.</summary>
public abstract partial class CodecTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    protected abstract IImageCodec Codec { get; }

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    public static TheoryData<int, int, bool> Opaque { get; } =
    [
        .. from interlaced in (bool[])[false, true]
           from kind in ((int, int)[])[(1, PngBytes.Grey), (2, PngBytes.Grey), (4, PngBytes.Grey), (8, PngBytes.Grey), (8, PngBytes.Rgb), (1, PngBytes.Palette), (2, PngBytes.Palette), (4, PngBytes.Palette), (8, PngBytes.Palette)]
           select new TheoryDataRow<int, int, bool>(kind.Item1, kind.Item2, interlaced),
    ];

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(28, 28, 1)]
    [InlineData(31, 17, 3)]
    [InlineData(1, 9, 3)]
    public void EncodePng_DecodedByEveryCodec_IsTheSameImage(int width, int height, int channels)
    {
        var image = TestImages.Noise(width, height, channels);
        var png = Encoded(image);
        TestImages.AssertEqual(image, Decode(png));
        TestImages.AssertEqual(image, TestImages.Decode(png));
        TestImages.AssertEqual(image, Decode(TestImages.Png(image)));
        Assert.Equal(png, Encoded(image));
    }

    [Theory]
    [InlineData("png", 0)]
    [InlineData("bmp", 0)]
    [InlineData("gif", 0)]
    [InlineData("jpeg", 4)]
    [InlineData("webp", 6)]
    public void Decode_EveryFormat_GivesTheImage(string format, int tolerance)
    {
        var image = Picture(format);
        TestImages.AssertEqual(image, Decode(Encode(format, image)), tolerance);
    }

    [Theory]
    [MemberData(nameof(Opaque))]
    public void Decode_OpaquePng_GivesItsValues(int bits, int kind, bool interlaced)
    {
        var (largest, entries) = ((1 << bits) - 1, Math.Min(1 << bits, 200));
        byte[] palette = [.. Enumerable.Range(0, 3 * entries).Select(i => (byte)(i * 53))];
        int Value(int x, int y, int c) => ((x * 7) + (y * 3) + (c * 5)) % (kind == PngBytes.Palette ? entries : largest + 1);
        var png = PngBytes.Make(13, 11, bits, kind, Value, interlaced, kind == PngBytes.Palette ? PngBytes.Chunk("PLTE", palette) : null);
        var expected = TestImages.From(13, 11, kind == PngBytes.Grey ? 1 : 3, (x, y, c) =>
            kind == PngBytes.Palette ? palette[(3 * Value(x, y, 0)) + c] : (byte)(Value(x, y, c) * 255 / largest));
        TestImages.AssertEqual(expected, Decode(png));
    }

    /// <summary>A decoder may round to 8 bits, or take the upper ones.</summary>
    [Theory]
    [InlineData(PngBytes.Grey, false)]
    [InlineData(PngBytes.Rgb, true)]
    public void Decode_PngOf16Bits_GivesTheUpper8(int kind, bool interlaced)
    {
        static int Value(int x, int y, int c) => ((x * 9001) + (y * 301) + (c * 77)) % 65536;
        var image = Decode(PngBytes.Make(9, 8, 16, kind, Value, interlaced));
        TestImages.AssertEqual(TestImages.From(9, 8, PngBytes.Channels(kind), (x, y, c) => (byte)Math.Round(Value(x, y, c) / 257.0)), image, tolerance: 1);
    }

    /// <summary>A decoder may round twice: when it multiplies with the opacity, and when it adds the ground.</summary>
    [Theory]
    [InlineData(8, PngBytes.GreyAlpha)]
    [InlineData(8, PngBytes.Rgba)]
    [InlineData(16, PngBytes.GreyAlpha)]
    [InlineData(16, PngBytes.Rgba)]
    public void Decode_TransparentPng_LiesOverWhite(int bits, int kind)
    {
        var (largest, channels) = ((1 << bits) - 1, PngBytes.Channels(kind));
        int Value(int x, int y, int c) => (int)(c == channels - 1 ? largest / 7L * x : ((largest / 9L * x) + (largest / 5L * (y + c))) % (largest + 1L));
        var image = Decode(PngBytes.Make(8, 4, bits, kind, Value));
        var expected = TestImages.From(8, 4, 3, (x, y, c) =>
        {
            var opacity = Value(x, y, channels - 1) / (double)largest;
            return (byte)Math.Round(255 * ((Value(x, y, Math.Min(c, channels - 2)) / (double)largest * opacity) + 1 - opacity));
        });
        TestImages.AssertEqual(expected, image, tolerance: 2);
    }

    [Theory]
    [InlineData(8, PngBytes.Grey, new byte[] { 0, 3 })]
    [InlineData(8, PngBytes.Rgb, new byte[] { 0, 3, 0, 3, 0, 3 })]
    [InlineData(8, PngBytes.Palette, new byte[] { 255, 255, 255, 0 })]
    public void Decode_PngWithATransparentColor_ShowsWhiteForIt(int bits, int kind, byte[] transparent)
    {
        byte[] grey = [.. Enumerable.Range(0, 24).Select(i => (byte)(i / 3))];
        byte[] before = [.. kind == PngBytes.Palette ? PngBytes.Chunk("PLTE", grey) : [], .. PngBytes.Chunk("tRNS", transparent)];
        TestImages.AssertEqual(TestImages.From(8, 2, 3, (x, _, _) => (byte)(x == 3 ? 255 : x)), Decode(PngBytes.Make(8, 2, bits, kind, (x, _, _) => x, before: before)));
    }

    /// <summary>Components as they are, or brightness and two colours; four are cyan, magenta, yellow and black, stored inverted as Adobe does.</summary>
    [Theory]
    [InlineData(new byte[] { 77 }, null, new byte[] { 77 })]
    [InlineData(new byte[] { 77, 100, 200 }, 0, new byte[] { 77, 100, 200 })]
    [InlineData(new byte[] { 77, 100, 200 }, null, new byte[] { 178, 35, 27 })]
    [InlineData(new byte[] { 77, 100, 200, 230 }, 0, new byte[] { 69, 90, 180 })]
    [InlineData(new byte[] { 77, 100, 200, 230 }, 2, new byte[] { 69, 198, 206 })]
    public void Decode_JpegOfEveryKindOfColor_GivesGreyOrRgb(byte[] components, int? transform, byte[] expected)
    {
        var image = Decode(JpegBytes.Make(components, (byte?)transform));
        TestImages.AssertEqual(TestImages.From(8, 8, expected.Length, (_, _, c) => expected[c]), image, tolerance: 1);
    }

    [Fact]
    public void Decode_GifOfSeveralFrames_GivesTheFirst()
    {
        var (first, second) = (TestImages.Constant(6, 5, 1, 30), TestImages.Constant(6, 5, 1, 220));
        TestImages.AssertEqual(first.WithChannels(3), Decode(TestImages.Gif(_folder, first, second)));
    }

    [Fact]
    public void Decode_AnimatedPng_GivesTheFirstPicture()
    {
        byte[] control = [0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0];
        byte[] before = [.. PngBytes.Chunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0]), .. PngBytes.Chunk("fcTL", [0, 0, 0, 0, .. control])];
        byte[] after = [.. PngBytes.Chunk("fcTL", [0, 0, 0, 1, .. control]), .. PngBytes.Chunk("fdAT", [0, 0, 0, 2, .. PngBytes.Compressed([0, 200, 200, 0, 200, 200])])];
        Assert.Equal([0, 9, 1, 10], Decode(PngBytes.Make(2, 2, 8, PngBytes.Grey, (x, y, _) => (9 * x) + y, before: before, after: after)).Pixels.ToArray());
    }

    [Fact]
    public void Decode_GifWhoseFrameIsSmallerThanItsCanvas_IsWhiteAround()
    {
        var image = Decode(Gif(1, 1, 1, 1, 0b10_010_100, 0b1));
        TestImages.AssertEqual(TestImages.From(4, 4, 3, (x, y, c) => (byte)((x, y) == (1, 1) ? 70 + (10 * c) : 255)), image);
    }

    [Theory]
    [InlineData(1, 0, new byte[] { 1, 2, 3, 0, 40, 50, 60, 0 }, new byte[] { 0x50, 0, 0, 0 })]
    [InlineData(4, 0, new byte[] { 1, 2, 3, 0, 40, 50, 60, 0 }, new byte[] { 0x01, 0x01, 0, 0 })]
    [InlineData(8, 0, new byte[] { 1, 2, 3, 0, 40, 50, 60, 0 }, new byte[] { 0, 1, 0, 1 })]
    [InlineData(8, 1, new byte[] { 1, 2, 3, 0, 40, 50, 60, 0 }, new byte[] { 1, 0, 1, 1, 1, 0, 1, 1, 0, 1 })]
    [InlineData(24, 0, new byte[0], new byte[] { 1, 2, 3, 40, 50, 60, 1, 2, 3, 40, 50, 60 })]
    [InlineData(32, 0, new byte[0], new byte[] { 1, 2, 3, 0, 40, 50, 60, 128, 1, 2, 3, 7, 40, 50, 60, 255 })]
    public void Decode_BmpOfEveryKind_GivesItsColors(int bits, int compression, byte[] palette, byte[] pixels)
    {
        var start = 54 + palette.Length;
        int[] header = [start + pixels.Length, 0, start, 40, 4, 1, 1 | (bits << 16), compression, pixels.Length, 0, 0, palette.Length / 4, 0];
        var image = Decode([.. "BM"u8, .. header.SelectMany(BitConverter.GetBytes), .. palette, .. pixels]);
        TestImages.AssertEqual(TestImages.From(4, 1, 3, (x, _, c) => (byte)(x % 2 == 0 ? 3 - c : 60 - (10 * c))), image);
    }

    [Fact]
    public void Extensions_OfTheCodec_AreThoseOfTheFormats()
        => Assert.Equal([".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".webp"], Codec.Extensions.Order(StringComparer.Ordinal));

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

    /// <summary>A GIF with a canvas of 4×4 pixels and four colours, whose frame lies somewhere on it.</summary>
    private static byte[] Gif(byte left, byte top, byte width, byte height, params byte[] codes) =>
    [
        .. "GIF89a"u8, 4, 0, 4, 0, 0x91, 1, 0, 1, 2, 3, 40, 50, 60, 70, 80, 90, 100, 110, 120,
        0x2c, left, 0, top, 0, width, 0, height, 0, 0, 2, (byte)codes.Length, .. codes, 0, 0x3b,
    ];

    private byte[] Encoded(PixelImage image)
    {
        using var stream = new MemoryStream();
        Codec.EncodePng(stream, image);
        return stream.ToArray();
    }

    private PixelImage Decode(byte[] file)
    {
        using var stream = new MemoryStream(file);
        return Codec.Decode(stream);
    }
}
