using SkiaSharp;

namespace Diffusion.Imaging.Tests;

public static class TestImages
{
    /// <summary>Every pixel random, from the seed.</summary>
    public static PixelImage Noise(int width, int height, int channels, int seed = 1)
    {
        var pixels = new byte[width * height * channels];
        new Random(seed).NextBytes(pixels);
        return new PixelImage(width, height, channels, pixels);
    }

    /// <summary>Smooth and different everywhere: survives lossy formats.</summary>
    public static PixelImage Smooth(int width, int height, int channels)
        => From(width, height, channels, (x, y, c) => (byte)(40 + (150.0 * x / width) + (30.0 * y / height) + (10 * c)));

    public static PixelImage Constant(int width, int height, int channels, byte value) => From(width, height, channels, (_, _, _) => value);

    public static PixelImage From(int width, int height, int channels, Func<int, int, int, byte> value)
        => new(width, height, channels, [.. from y in Enumerable.Range(0, height)
            from x in Enumerable.Range(0, width)
            from c in Enumerable.Range(0, channels)
            select value(x, y, c)]);

    public static byte[] Png(PixelImage image)
    {
        using var stream = new MemoryStream();
        new SkiaCodec().EncodePng(stream, image);
        return stream.ToArray();
    }

    public static byte[] Encode(PixelImage image, SKEncodedImageFormat format)
    {
        var rgb = image.WithChannels(3);
        using var bitmap = new SKBitmap(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var i = 0; i < image.Width * image.Height; i++)
        {
            var pixel = rgb.Pixels.Slice(3 * i, 3);
            bitmap.SetPixel(i % image.Width, i / image.Width, new SKColor(pixel[0], pixel[1], pixel[2]));
        }

        using var data = bitmap.Encode(format, 95);
        return data.ToArray();
    }

    /// <summary>A 24-bit BMP, which SkiaSharp does not write.</summary>
    public static byte[] Bmp(PixelImage image)
    {
        var stride = ((3 * image.Width) + 3) / 4 * 4;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("BM"u8);
        var size = stride * image.Height;
        int[] header = [54 + size, 0, 54, 40, image.Width, image.Height, 1 | (24 << 16), 0, size, 2835, 2835, 0, 0];
        foreach (var number in header)
        {
            writer.Write(number);
        }

        for (var y = image.Height - 1; y >= 0; y--)
        {
            for (var x = 0; x < image.Width; x++)
            {
                var pixel = image.Pixels.Slice(((y * image.Width) + x) * 3, 3);
                writer.Write([pixel[2], pixel[1], pixel[0]]);
            }

            writer.Write(new byte[stride - (3 * image.Width)]);
        }

        return stream.ToArray();
    }

    public static byte[] Gif(TemporaryFolder folder, params PixelImage[] frames)
    {
        var path = folder.File(Guid.NewGuid().ToString("N") + ".gif");
        using (var gif = new GifWriter(path, TimeSpan.FromMilliseconds(50)))
        {
            foreach (var frame in frames)
            {
                gif.Add(frame);
            }

            gif.Complete();
        }

        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }

    public static PixelImage Decode(byte[] file)
    {
        using var stream = new MemoryStream(file);
        return new SkiaCodec().Decode(stream);
    }

    public static void AssertEqual(PixelImage expected, PixelImage actual, int tolerance = 0)
    {
        Assert.Equal((expected.Width, expected.Height, expected.Channels), (actual.Width, actual.Height, actual.Channels));
        for (var i = 0; i < expected.Pixels.Length; i++)
        {
            var (wanted, found) = (expected.Pixels[i], actual.Pixels[i]);
            Assert.True(Math.Abs(wanted - found) <= tolerance, $"value {i}: expected {wanted}, found {found}");
        }
    }
}
