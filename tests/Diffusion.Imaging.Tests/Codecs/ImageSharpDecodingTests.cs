using Diffusion.Imaging.ImageSharp;

namespace Diffusion.Imaging.Tests;

public sealed class ImageSharpDecodingTests : CodecTests
{
    protected override IImageCodec Codec { get; } = new ImageSharpCodec();

    /// <summary>What the default codec reads and this one does not, it says.</summary>
    [Fact]
    public void Decode_PngOf16BitsWithATransparentColor_IsRefused()
    {
        var png = PngBytes.Make(8, 3, 16, PngBytes.Grey, (x, _, _) => x * 1000, before: PngBytes.Chunk("tRNS", [3, 232]));
        using var stream = new MemoryStream(png);
        Assert.Contains("transparent colour", Assert.Throws<InvalidDataException>(() => Codec.Decode(stream)).Message);
        Assert.Equal(255, TestImages.Decode(png).Pixels[3]);
    }

    [Fact]
    public void Decode_AnimatedWebP_IsRefused()
    {
        var still = TestImages.Encode(TestImages.Smooth(24, 20, 3), SkiaSharp.SKEncodedImageFormat.Webp);
        byte[] frame = [0, 0, 0, 0, 0, 0, 23, 0, 0, 19, 0, 0, 100, 0, 0, 0, .. still[12..]];
        byte[] body = [.. "WEBP"u8, .. ExifBytes.Chunk("VP8X", [2, 0, 0, 0, 23, 0, 0, 19, 0, 0]), .. ExifBytes.Chunk("ANIM", new byte[6]), .. ExifBytes.Chunk("ANMF", frame)];
        byte[] file = [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
        using var stream = new MemoryStream(file);
        Assert.Contains("Animated", Assert.Throws<InvalidDataException>(() => Codec.Decode(stream)).Message);
        TestImages.AssertEqual(TestImages.Smooth(24, 20, 3), TestImages.Decode(file), tolerance: 6);
    }

    [Fact]
    public void Load_OfAFolderAndAFile_TakesTheCodec()
    {
        using var folder = new TemporaryFolder();
        var image = TestImages.Noise(8, 6, 3);
        var path = folder.File("a.png");
        ImageFile.Save(path, image, Codec);
        TestImages.AssertEqual(image, ImageFile.Load(path, Codec));
        using var images = ImageFolder.Open(folder.Path, new ImageFolderOptions { Height = 6, Width = 8, Codec = Codec });
        using var batch = images.Read([0]);
        TestImages.AssertEqual(image, PixelImage.FromTensor(batch.Images));
    }
}
