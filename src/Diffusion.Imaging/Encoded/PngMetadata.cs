using System.Buffers.Binary;

namespace Diffusion.Imaging;

/// <summary>The metadata of PNG files: the chunk eXIf before or after the pixels, else the text chunk in which ImageMagick keeps EXIF; XMP in a text chunk.</summary>
/// <remarks>PNG, third edition (W3C, 2025), 11.3.3.1 (text) and 11.3.4.2 (eXIf).</remarks>
internal static class PngMetadata
{
    private const int Frame = 12; // length, type and check sum

    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    /// <summary>The width and height that the first chunk declares; <see langword="null"/> for other files.</summary>
    public static (long Width, long Height)? Size(ReadOnlySpan<byte> file) => file.Length >= 24 && file.StartsWith(Signature) && file[12..].StartsWith("IHDR"u8)
        ? (BinaryPrimitives.ReadInt32BigEndian(file[16..]), BinaryPrimitives.ReadInt32BigEndian(file[20..]))
        : null;

    public static ImageMetadata Read(ReadOnlySpan<byte> file)
    {
        var (exif, profile, xmp) = (Array.Empty<byte>(), Array.Empty<byte>(), Array.Empty<byte>());
        var rest = file[Signature.Length..];
        while (rest.Length >= Frame && BinaryPrimitives.ReadUInt32BigEndian(rest) is var length && length <= rest.Length - Frame)
        {
            var size = (int)length;
            var type = rest.Slice(4, 4);
            var data = rest.Slice(8, size);
            if (type.SequenceEqual("eXIf"u8) && IsWhole(rest, size))
            {
                exif = data.ToArray();
            }
            else if ((type.SequenceEqual("tEXt"u8) || type.SequenceEqual("zTXt"u8) || type.SequenceEqual("iTXt"u8)) && IsWhole(rest, size))
            {
                profile = PngText.Profile(type, data) ?? profile;
                xmp = PngText.Xmp(type, data) ?? xmp;
            }

            rest = rest[(size + Frame)..];
        }

        return new ImageMetadata(exif.Length > 0 ? exif : profile, xmp);
    }

    /// <summary>Whether a chunk's check sum is that of its type and data.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> chunk, int size) => Crc32.Of(chunk.Slice(4, size + 4)) == BinaryPrimitives.ReadUInt32BigEndian(chunk[(size + 8)..]);
}
