using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace Diffusion.Imaging.ImageSharp;

/// <summary>
/// A managed codec: reads PNG, JPEG, WebP, BMP and GIF (the first frame) with SixLabors.ImageSharp 2.1 and writes PNG. It reads the same files as <see cref="ImageFile.DefaultCodec"/>, refuses the
/// same, and gives the same pixels: equal where a format has no loss and no transparency, elsewhere within the rounding of two decoders. Transparent pixels are laid over white; the orientation
/// that a camera noted is applied; colour profiles are ignored; 16 bits become 8. Grey PNG and JPEG files become grey images, all others RGB.
/// </summary>
/// <remarks>
/// ImageSharp 2 gets security fixes only; flaws with crafted images were reported and fixed up to 2.1.11 (GHSA-65x7-c272-7g7r, GHSA-g85r-6x2q-45w7, GHSA-5x7m-6737-26cr, GHSA-63p8-c4ww-9cg7,
/// GHSA-qxrv-gp6x-rc23, GHSA-2cmq-823j-5qj8, GHSA-rxmq-m78w-7wmc). For that, only the five formats are read, a file is looked through for its size and its end before it is decoded, images of more
/// than 2²⁷ pixels are refused, and no single allocation of ImageSharp is larger than 576 MiB. The file, of at most 1 GiB, is in memory as a whole, and while a PNG is checked its compressed pixels once
/// more. May be used from several threads.
/// </remarks>
public sealed class ImageSharpCodec : IImageCodec
{
    private const int Full = 255;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Extensions => ImageFile.DefaultCodec.Extensions;

    /// <inheritdoc/>
    public PixelImage Decode(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var file = EncodedFile.ReadAll(stream);
        EncodedFile.ThrowIfTooLarge(file);
        try
        {
            return ExifOrientation.Apply(Pixels(file), EncodedOrientation.Of(file));
        }
        catch (InvalidMemoryOperationException e)
        {
            throw new InvalidDataException($"needs more than the {Decoders.MaxMegabytes} MiB at a time that decoding may take", e);
        }
        catch (Exception e) when (e is not (InvalidDataException or OutOfMemoryException)) // of crafted files, it may be any
        {
            throw new InvalidDataException($"the image cannot be decoded ({e.Message})", e);
        }
    }

    /// <inheritdoc/>
    public void EncodePng(Stream stream, PixelImage image)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(image);
        using Image picture = image.Channels == 1
            ? Image.LoadPixelData<L8>(Decoders.Known, image.Pixels, image.Width, image.Height)
            : Image.LoadPixelData<Rgb24>(Decoders.Known, image.Pixels, image.Width, image.Height);
        var color = image.Channels == 1 ? PngColorType.Grayscale : PngColorType.Rgb;
        picture.Save(stream, new PngEncoder { ColorType = color, BitDepth = PngBitDepth.Bit8, ChunkFilter = PngChunkFilter.ExcludeAll });
    }

    private static PixelImage Pixels(byte[] file)
    {
        var info = Identify(file) ?? throw new InvalidDataException("not a PNG, JPEG, WebP, BMP or GIF image, or cut off in its first bytes");
        EncodedFile.ThrowIfTooLarge(info.Width, info.Height);
        WholeFile.ThrowIfCut(file, info.Width, info.Height);
        if (PngPixels.HaveATransparentColorOf16Bits(file))
        {
            throw new InvalidDataException("a PNG of 16 bits with a transparent colour, which ImageSharp 2 shows as opaque; the default codec reads it");
        }

        return Decoders.IsGrey(info) ? Grey(file) : SizedFiles.BmpIsOpaque(file) ? Opaque(file) : GifFrame.Is(file) ? Framed(file) : Color(file);
    }

    private static IImageInfo? Identify(byte[] file)
    {
        using var stream = new MemoryStream(file);
        return Image.Identify(Decoders.Known, stream);
    }

    private static PixelImage Grey(byte[] file)
    {
        using var image = Image.Load<L8>(Decoders.Known, file);
        var pixels = new byte[image.Width * image.Height];
        image.CopyPixelDataTo(pixels);
        return new PixelImage(image.Width, image.Height, 1, pixels);
    }

    private static PixelImage Opaque(byte[] file)
    {
        using var image = Image.Load<Rgb24>(Decoders.Known, file);
        var pixels = new byte[3 * image.Width * image.Height];
        image.CopyPixelDataTo(pixels);
        return new PixelImage(image.Width, image.Height, 3, pixels);
    }

    private static PixelImage Framed(byte[] file)
    {
        var (canvas, frame) = (Color(file), GifFrame.Find(file)!.Value);
        if (frame.Left + frame.Width > canvas.Width || frame.Top + frame.Height > canvas.Height)
        {
            throw new InvalidDataException($"the image of {frame.Width}×{frame.Height} pixels at ({frame.Left}, {frame.Top}) does not fit on its canvas of {canvas.Width}×{canvas.Height}");
        }

        var pixels = canvas.Pixels.ToArray();
        frame.WhitenAround(pixels, canvas.Width);
        return new PixelImage(canvas.Width, canvas.Height, 3, pixels);
    }

    private static PixelImage Color(byte[] file)
    {
        using var image = Image.Load<Rgba32>(Decoders.Known, file);
        var rgb = new byte[3 * image.Width * image.Height];
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                OverWhite(rows.GetRowSpan(y), rgb.AsSpan(3 * y * rows.Width, 3 * rows.Width));
            }
        });
        return new PixelImage(image.Width, image.Height, 3, rgb);
    }

    private static void OverWhite(ReadOnlySpan<Rgba32> row, Span<byte> rgb)
    {
        for (var x = 0; x < row.Length; x++)
        {
            var pixel = row[x];
            (rgb[3 * x], rgb[(3 * x) + 1], rgb[(3 * x) + 2]) = (Over(pixel.R, pixel.A), Over(pixel.G, pixel.A), Over(pixel.B, pixel.A));
        }
    }

    private static byte Over(byte value, byte alpha) => (byte)(((value * alpha) + (Full * (Full - alpha)) + (Full / 2)) / Full);
}
