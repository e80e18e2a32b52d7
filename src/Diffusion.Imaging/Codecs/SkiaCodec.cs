using SkiaSharp;

namespace Diffusion.Imaging;

/// <summary>
/// The default codec: reads PNG, JPEG, WebP, BMP and GIF (the first frame) with SkiaSharp and writes PNG. Transparent pixels are laid
/// over one grey ground; the orientation that a camera noted is applied; colour profiles are ignored; 16 bits become 8.
/// Grey PNG and JPEG files become grey images, all others RGB.
/// </summary>
internal sealed class SkiaCodec : IImageCodec
{
    private readonly byte _ground;

    /// <summary>Creates the codec.</summary>
    /// <param name="ground">What lies under transparent pixels, from 0 (black) to 255 (white, the default).</param>
    public SkiaCodec(byte ground = 255) => _ground = ground;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Extensions { get; } = [".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif"];

    /// <inheritdoc/>
    public PixelImage Decode(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var data = SKData.Create(EncodedFile.Bounded(stream)) ?? SKData.Empty;
        EncodedFile.ThrowIfTooLarge(data.AsSpan());
        return ExifOrientation.Apply(Pixels(data), EncodedOrientation.Of(data.AsSpan()));
    }

    private PixelImage Pixels(SKData data)
    {
        using var codec = SKCodec.Create(data);
        if (codec is null)
        {
            throw new InvalidDataException("not a PNG, JPEG, WebP, BMP or GIF image, or cut off in its first bytes");
        }

        var (width, height) = (codec.Info.Width, codec.Info.Height);
        EncodedFile.ThrowIfTooLarge(width, height);
        var grey = codec.Info.ColorType == SKColorType.Gray8;
        var wanted = grey
            ? new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque)
            : new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul);
        using var bitmap = new SKBitmap(wanted);
        var result = codec.GetPixels(wanted, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
        {
            throw new InvalidDataException(result == SKCodecResult.IncompleteInput
                ? $"truncated: the {width}×{height} image is not all there"
                : $"the {width}×{height} image cannot be decoded ({result})");
        }

        return new PixelImage(width, height, grey ? 1 : 3, grey ? bitmap.GetPixelSpan().ToArray() : OverGround(bitmap.GetPixelSpan()));
    }

    /// <inheritdoc/>
    public void EncodePng(Stream stream, PixelImage image)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(image);
        var type = image.Channels == 1 ? SKColorType.Gray8 : SKColorType.Rgb888x;
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, type, SKAlphaType.Opaque));
        CopyTo(bitmap.GetPixelSpan(), image);
        using var pixmap = bitmap.PeekPixels();
        using var png = pixmap.Encode(SKPngEncoderOptions.Default)
            ?? throw new IOException($"The {image.Width}×{image.Height} image could not be encoded as PNG.");
        png.SaveTo(stream);
    }

    /// <summary>Premultiplied RGBA over the ground → RGB.</summary>
    private byte[] OverGround(ReadOnlySpan<byte> rgba)
    {
        var rgb = new byte[rgba.Length / 4 * 3];
        for (int from = 0, to = 0; from < rgba.Length; from += 4, to += 3)
        {
            var ground = (((255 - rgba[from + 3]) * _ground) + 127) / 255;
            for (var c = 0; c < 3; c++)
            {
                rgb[to + c] = (byte)Math.Min(255, rgba[from + c] + ground);
            }
        }

        return rgb;
    }

    private static void CopyTo(Span<byte> target, PixelImage image)
    {
        if (image.Channels == 1)
        {
            image.Pixels.CopyTo(target);
            return;
        }

        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            image.Pixels.Slice(from, 3).CopyTo(target[to..]);
            target[to + 3] = 255;
        }
    }
}
