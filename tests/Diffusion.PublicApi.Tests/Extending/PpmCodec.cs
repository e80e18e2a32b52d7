using System.Text;
using Diffusion.Imaging;

namespace Diffusion.PublicApi.Tests;

/// <summary>Reads binary PPM files beside the formats of SkiaSharp.</summary>
internal sealed class PpmCodec : IImageCodec
{
    private readonly IImageCodec _skia = ImageFile.DefaultCodec;
    public IReadOnlyCollection<string> Extensions => [.. _skia.Extensions, ".ppm"];

    public PixelImage Decode(Stream stream)
    {
        using var file = new MemoryStream();
        stream.CopyTo(file);
        var bytes = file.ToArray();
        if (!bytes.AsSpan().StartsWith("P6"u8))
        {
            return _skia.Decode(new MemoryStream(bytes));
        }
        var header = Encoding.ASCII.GetString(bytes, 0, Math.Min(bytes.Length, 64)).Split([' ', '\n'], 5); // P6 WIDTH HEIGHT 255 pixels
        var start = header.Take(4).Sum(part => part.Length + 1);
        return header.Length == 5 && int.TryParse(header[1], out var width) && int.TryParse(header[2], out var height)
            && width > 0 && height > 0 && bytes.Length - start == 3L * width * height
            ? new PixelImage(width, height, 3, bytes[start..])
            : throw new InvalidDataException("The PPM file is truncated or has another header.");
    }

    public void EncodePng(Stream stream, PixelImage image) => _skia.EncodePng(stream, image);
}
