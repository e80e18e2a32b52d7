namespace Diffusion.Imaging;

/// <summary>What an image file says about its picture beside the pixels.</summary>
/// <param name="Exif">The EXIF block, a TIFF file without pixels; empty where there is none.</param>
/// <param name="Xmp">The XMP packet, a text; empty where there is none.</param>
internal readonly record struct ImageMetadata(byte[] Exif, byte[] Xmp)
{
    /// <summary>Of a file that says nothing, or of another format.</summary>
    public static ImageMetadata None { get; } = new([], []);

    /// <summary>What stands in a PNG, JPEG or WebP file; what is damaged is not there.</summary>
    public static ImageMetadata Read(ReadOnlySpan<byte> file) =>
        file.StartsWith(PngMetadata.Signature) ? PngMetadata.Read(file)
        : file.StartsWith(JpegMetadata.Signature) ? JpegMetadata.Read(file)
        : WebPMetadata.Is(file) ? WebPMetadata.Read(file)
        : None;
}
