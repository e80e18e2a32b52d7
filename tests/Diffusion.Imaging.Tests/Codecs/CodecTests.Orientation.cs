using System.Text;
using SkiaSharp;

namespace Diffusion.Imaging.Tests;

public abstract partial class CodecTests
{
    private const int Width = 24, Height = 16;

    public static TheoryData<string, int, bool, int> Orientations { get; } =
    [
        .. from format in (string[])["png", "png after the pixels", "png text", "png compressed text", "jpeg", "webp"]
           from orientation in Enumerable.Range(1, 8)
           from little in (bool[])[true, false]
           from type in (int[])[ExifBytes.Of16Bits, ExifBytes.Of32Bits]
           select new TheoryDataRow<string, int, bool, int>(format, orientation, little, type),
    ];

    /// <summary>As Pillow's ImageOps.exif_transpose turns it (python-pillow/Pillow 00ff31b, src/PIL/ImageOps.py).</summary>
    [Theory]
    [MemberData(nameof(Orientations))]
    public void Decode_Orientation_TurnsThePictureUpright(string format, int orientation, bool little, int type)
    {
        var upright = TestImages.Smooth(orientation >= 5 ? Height : Width, orientation >= 5 ? Width : Height, 3);
        var file = With(format, ExifBytes.Block(orientation, little, type), Stored(upright, orientation));
        TestImages.AssertEqual(upright, Decode(file), format.StartsWith("png", StringComparison.Ordinal) ? 0 : 6);
    }

    public static TheoryData<string, byte[], int> Blocks { get; } =
    [
        .. from format in (string[])["png", "jpeg", "webp"]
           from block in ((byte[], int)[])
           [
               (ExifBytes.Block(0), 1), (ExifBytes.Block(9), 1), (ExifBytes.Block(70000, type: ExifBytes.Of32Bits), 1), (ExifBytes.Block(-1, type: ExifBytes.Of32Bits), 1), // out of range
               (ExifBytes.Block(6, type: ExifBytes.Of8Bits), 1), (ExifBytes.Block(6, type: 2), 1), (ExifBytes.Block(6, type: 77), 1), (ExifBytes.Block(6, count: 0), 1), // of another type, or none
               (ExifBytes.Block(6, count: 4)[..^4], 1), (ExifBytes.Block(6, type: ExifBytes.Of32Bits, count: int.MaxValue), 1), // beyond the end
               (ExifBytes.Block(6)[..30], 1), (ExifBytes.Block(6)[..9], 1), ([], 1), ([.. "II"u8], 1), ([.. "something else"u8], 1), ([.. "II*\0\xff\xff\xff\xff"u8], 1),
               ([.. "Exif\0\0"u8, .. ExifBytes.Block(3)], 3), (ExifBytes.Block(3, count: 2), 3), (ExifBytes.Block(3, count: 4), 3), (ExifBytes.Block(3, type: 8), 3), ([.. "MM*\0"u8, .. ExifBytes.Block(3, little: false)[4..]], 3), // other ways to say it
           ]
           select new TheoryDataRow<string, byte[], int>(format, block.Item1, block.Item2),
    ];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Decode_BlockThatIsDamagedOrUnusual_FailsNothing(string format, byte[] block, int expected)
    {
        var upright = TestImages.Smooth(Width, Height, 3);
        TestImages.AssertEqual(upright, Decode(With(format, block, Stored(upright, expected))), format == "png" ? 0 : 6);
    }

    [Theory]
    [InlineData("<x xmlns:tiff='' tiff:Orientation=\"6\"/>", null, 6)]
    [InlineData("<tiff:Orientation>8</tiff:Orientation>", null, 8)]
    [InlineData("<tiff:Orientation>8</tiff:Orientation>", 1, 1)] // EXIF goes first, whatever it says
    [InlineData("<tiff:Orientation>8</tiff:Orientation>", 9, 1)]
    [InlineData("<tiff:Orientation>up</tiff:Orientation>", null, 1)]
    [InlineData("tiff:Orientation", null, 1)]
    public void Decode_OrientationInXmp_IsTakenWhereExifHasNone(string text, int? exif, int expected)
    {
        var upright = TestImages.Smooth(expected >= 5 ? Height : Width, expected >= 5 ? Width : Height, 3);
        var stored = Stored(upright, expected);
        var xmp = Encoding.ASCII.GetBytes(text);
        var png = TestImages.Png(stored);
        byte[] block = exif is { } noted ? PngBytes.Chunk("eXIf", ExifBytes.Block(noted)) : [];
        TestImages.AssertEqual(upright, Decode([.. png[..33], .. PngBytes.Chunk("iTXt", [.. "XML:com.adobe.xmp\0\0\0\0\0"u8, .. xmp]), .. block, .. png[33..]]));
        TestImages.AssertEqual(upright, Decode([.. png[..33], .. block, .. PngBytes.Chunk("iTXt", [.. "XML:com.adobe.xmp\0\x01\0\0\0"u8, .. PngBytes.Compressed(xmp)]), .. png[33..]]));
        var jpeg = TestImages.Encode(stored, SKEncodedImageFormat.Jpeg);
        jpeg = [.. jpeg[..2], .. ExifBytes.Segment(0xe1, [.. "http://ns.adobe.com/xap/1.0/\0"u8, .. xmp]), .. jpeg[2..]];
        TestImages.AssertEqual(upright, Decode(exif is { } tag ? ExifBytes.InJpeg(jpeg, ExifBytes.Block(tag)) : jpeg), tolerance: 6);
    }

    [Fact]
    public void Decode_ChunkWithAWrongCheckSum_IsPassedOver()
    {
        var image = TestImages.Smooth(Width, Height, 3);
        var (png, chunk) = (TestImages.Png(image), PngBytes.Chunk("eXIf", ExifBytes.Block(6)));
        chunk[^1] ^= 1;
        TestImages.AssertEqual(image, Decode([.. png[..33], .. chunk, .. png[33..]]));
    }

    [Theory]
    [InlineData("zTXt", "Raw profile type exif\0\0not compressed")]
    [InlineData("zTXt", "Raw profile type exif\0\x01x")]
    [InlineData("tEXt", "Raw profile type exif\0\nexif\n 3\nno digits\n")]
    [InlineData("tEXt", "Raw profile type exif")]
    [InlineData("iTXt", "XML:com.adobe.xmp\0\x01\0no end")]
    [InlineData("iTXt", "XML:com.adobe.xmp\0")]
    public void Decode_TextChunkThatIsDamaged_FailsNothing(string type, string data)
    {
        var image = TestImages.Smooth(Width, Height, 3);
        var png = TestImages.Png(image);
        TestImages.AssertEqual(image, Decode([.. png[..^12], .. PngBytes.Chunk(type, Encoding.Latin1.GetBytes(data)), .. png[^12..]]));
    }

    [Fact]
    public void Decode_TextThatGrowsWithoutEnd_TakesLittleMemory()
    {
        var png = TestImages.Png(TestImages.Smooth(Width, Height, 3));
        byte[] file = [.. png[..33], .. PngBytes.Chunk("zTXt", [.. "Raw profile type exif\0\0"u8, .. PngBytes.Compressed(new byte[50 << 20])]), .. png[33..]];
        Decode(file);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decode(file);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    /// <summary>How a picture lies in a file that notes the orientation.</summary>
    private static PixelImage Stored(PixelImage upright, int orientation)
    {
        var (right, bottom) = (upright.Width - 1, upright.Height - 1);
        return TestImages.From(orientation >= 5 ? upright.Height : upright.Width, orientation >= 5 ? upright.Width : upright.Height, upright.Channels, (column, row, c) =>
        {
            // Where row 0 and column 0 are seen (TIFF 6.0, Orientation): 1 top left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
            var (x, y) = orientation switch
            {
                2 => (right - column, row),
                3 => (right - column, bottom - row),
                4 => (column, bottom - row),
                5 => (row, column),
                6 => (right - row, column),
                7 => (right - row, bottom - column),
                8 => (row, bottom - column),
                _ => (column, row),
            };
            return upright.Pixels[(((y * upright.Width) + x) * upright.Channels) + c];
        });
    }

    /// <summary>A file of a picture with an EXIF block.</summary>
    private static byte[] With(string format, byte[] block, PixelImage stored)
    {
        var png = TestImages.Png(stored);
        var digits = Encoding.ASCII.GetBytes($"\nexif\n      {block.Length + 6}\n{string.Join('\n', Convert.ToHexString([.. "Exif\0\0"u8, .. block]).ToLowerInvariant().Chunk(72).Select(line => new string(line)))}\n");
        return format switch
        {
            "png" => [.. png[..33], .. PngBytes.Chunk("eXIf", block), .. png[33..]],
            "png after the pixels" => [.. png[..^12], .. PngBytes.Chunk("eXIf", block), .. png[^12..]],
            "png text" => [.. png[..33], .. PngBytes.Chunk("tEXt", [.. "Raw profile type exif\0"u8, .. digits]), .. png[33..]],
            "png compressed text" => [.. png[..^12], .. PngBytes.Chunk("zTXt", [.. "Raw profile type exif\0\0"u8, .. PngBytes.Compressed(digits)]), .. png[^12..]],
            "jpeg" => ExifBytes.InJpeg(TestImages.Encode(stored, SKEncodedImageFormat.Jpeg), block),
            _ => ExifBytes.InWebP(TestImages.Encode(stored, SKEncodedImageFormat.Webp), stored.Width, stored.Height, block),
        };
    }
}
