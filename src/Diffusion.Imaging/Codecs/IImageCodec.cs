namespace Diffusion.Imaging;

/// <summary>
/// Reads image files and writes PNG. Implement it to read another format or to use another image library; everything else of this
/// assembly sees <see cref="PixelImage"/> only.
/// </summary>
public interface IImageCodec
{
    /// <summary>The extensions of the files that it reads, with the dot (".png"); upper and lower case are the same.</summary>
    IReadOnlyCollection<string> Extensions { get; }

    /// <summary>Decodes one image. Called from several threads at once.</summary>
    /// <param name="stream">The whole file, from its current position on.</param>
    /// <returns>The image, whole: what a damaged file still shows is not returned.</returns>
    /// <exception cref="InvalidDataException">It is not an image, or a truncated or damaged one; the message says which.</exception>
    PixelImage Decode(Stream stream);

    /// <summary>Writes an image as PNG, without loss.</summary>
    /// <param name="stream">Where to; stays open.</param>
    /// <param name="image">The image.</param>
    /// <exception cref="IOException">The stream cannot be written to.</exception>
    void EncodePng(Stream stream, PixelImage image);
}
