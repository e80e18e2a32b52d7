using SkiaSharp;

namespace Diffusion.Imaging.Tests;

public sealed class ExifOrientationTests
{
    /// <summary>How the upright picture "12 / 34 / 56" is stored under each orientation.</summary>
    [Theory]
    [InlineData(1, 2, new byte[] { 1, 2, 3, 4, 5, 6 })]
    [InlineData(2, 2, new byte[] { 2, 1, 4, 3, 6, 5 })]
    [InlineData(3, 2, new byte[] { 6, 5, 4, 3, 2, 1 })]
    [InlineData(4, 2, new byte[] { 5, 6, 3, 4, 1, 2 })]
    [InlineData(5, 3, new byte[] { 1, 3, 5, 2, 4, 6 })]
    [InlineData(6, 3, new byte[] { 2, 4, 6, 1, 3, 5 })]
    [InlineData(7, 3, new byte[] { 6, 4, 2, 5, 3, 1 })]
    [InlineData(8, 3, new byte[] { 5, 3, 1, 6, 4, 2 })]
    public void Apply_StoredPicture_StandsUpright(int orientation, int width, byte[] stored)
    {
        var upright = ExifOrientation.Apply(new PixelImage(width, 6 / width, 1, stored), orientation);
        TestImages.AssertEqual(new PixelImage(2, 3, 1, [1, 2, 3, 4, 5, 6]), upright);
    }

    [Fact]
    public void Decode_JpegTakenOnItsSide_StandsUpright()
    {
        var stored = TestImages.Smooth(48, 32, 3);
        var jpeg = TestImages.Encode(stored, SKEncodedImageFormat.Jpeg);
        byte[] exif = [0xff, 0xe1, 0, 34, .. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        var turned = TestImages.Decode([.. jpeg[..2], .. exif, .. jpeg[2..]]);
        var expected = TestImages.From(32, 48, 3, (x, y, c) => stored.Pixels[((((31 - x) * 48) + y) * 3) + c]);
        TestImages.AssertEqual(expected, turned, tolerance: 4);
    }
}
