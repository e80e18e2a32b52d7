using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Single images: read from a file, written as PNG.</summary>
public static class ImageFile
{
    /// <summary>
    /// The default codec: reads PNG, JPEG, WebP, BMP and GIF with SkiaSharp, of an animation the first frame, and writes PNG. Transparent pixels are laid
    /// over white; the orientation that a camera noted (EXIF, or XMP where EXIF has none) is applied; colour profiles are ignored; 16 bits become 8.
    /// Grey PNG and JPEG files become grey images, all others RGB. Images of more than 2²⁷ pixels or 1,000,000 on a side, and files of more than 1 GiB, are refused.
    /// </summary>
    public static IImageCodec DefaultCodec { get; } = new SkiaCodec();

    /// <summary>Reads an image.</summary>
    /// <param name="path">The file.</param>
    /// <param name="codec">What decodes it; by default <see cref="DefaultCodec"/>.</param>
    /// <returns>The image, at its own size.</returns>
    /// <exception cref="IOException">The file is not there or cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file is not an image, or a damaged one, or no file but a pipe, a socket or a device; the message names it.</exception>
    public static PixelImage Load(string path, IImageCodec? codec = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using var stream = ImagePath.OpenRead(path);
            return (codec ?? DefaultCodec).Decode(stream);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}.", e);
        }
    }

    /// <summary>Writes an image as PNG; the file is whole or absent.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="image">The image.</param>
    /// <param name="codec">What encodes it; by default <see cref="DefaultCodec"/>.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, PixelImage image, IImageCodec? codec = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(image);
        AtomicFile.Write(path, stream => (codec ?? DefaultCodec).EncodePng(stream, image));
    }

    /// <summary>Writes an image as PNG; the file is whole or absent.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="image">[C, H, W] or [1, C, H, W] with C 1 or 3, any floating type, any device; clamped to [−1, 1].</param>
    /// <exception cref="ArgumentException">The shape or the type is another, or a value is NaN.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, Tensor image) => Save(path, PixelImage.FromTensor(image));
}
