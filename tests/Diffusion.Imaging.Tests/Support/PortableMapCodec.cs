using System.Text;

namespace Diffusion.Imaging.Tests;

/// <summary>A stranger's codec: reads binary PGM and PPM of 8 bits, leaves PNG to another one.</summary>
public sealed class PortableMapCodec : IImageCodec
{
    private readonly SkiaCodec _png = new();

    public IReadOnlyCollection<string> Extensions { get; } = [".pgm", ".PPM"];

    public PixelImage Decode(Stream stream)
    {
        var channels = Token(stream) switch
        {
            "P5" => 1,
            "P6" => 3,
            var other => throw new InvalidDataException($"begins with '{other}'; a PGM begins with P5, a PPM with P6"),
        };
        var (width, height, most) = (int.Parse(Token(stream)), int.Parse(Token(stream)), Token(stream));
        if (most != "255")
        {
            throw new InvalidDataException($"has values up to {most}; only 255 is read");
        }

        var pixels = new byte[width * height * channels];
        return stream.ReadAtLeast(pixels, pixels.Length, throwOnEndOfStream: false) == pixels.Length
            ? new PixelImage(width, height, channels, pixels)
            : throw new InvalidDataException("truncated");
    }

    public void EncodePng(Stream stream, PixelImage image) => _png.EncodePng(stream, image);

    public static byte[] Encode(PixelImage image)
        => [.. Encoding.ASCII.GetBytes($"P{(image.Channels == 1 ? 5 : 6)}\n{image.Width} {image.Height}\n255\n"), .. image.Pixels];

    private static string Token(Stream stream)
    {
        var token = new StringBuilder();
        for (var value = stream.ReadByte(); value > ' '; value = stream.ReadByte())
        {
            token.Append((char)value);
        }

        return token.ToString();
    }
}
