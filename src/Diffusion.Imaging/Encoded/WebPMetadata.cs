using System.Buffers.Binary;

namespace Diffusion.Imaging;

/// <summary>The metadata of WebP files: the chunks EXIF and XMP, where the chunk VP8X announces them.</summary>
/// <remarks>RFC 9649, 2.7 (extended file format).</remarks>
internal static class WebPMetadata
{
    private const byte HasExif = 0x08;
    private const byte HasXmp = 0x04;
    private const int FirstChunk = 12;

    public static bool Is(ReadOnlySpan<byte> file) => file.Length >= FirstChunk && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8);

    public static ImageMetadata Read(ReadOnlySpan<byte> file)
    {
        var (exif, xmp) = (Array.Empty<byte>(), Array.Empty<byte>());
        byte flags = 0;
        var rest = file[FirstChunk..];
        while (rest.Length >= 8 && BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) is var length && length <= rest.Length - 8)
        {
            var type = rest[..4];
            var data = rest.Slice(8, (int)length);
            if (type.SequenceEqual("VP8X"u8) && data.Length > 0)
            {
                flags = data[0];
            }
            else if (type.SequenceEqual("EXIF"u8) && (flags & HasExif) != 0 && exif.Length == 0)
            {
                exif = data.ToArray();
            }
            else if (type.SequenceEqual("XMP "u8) && (flags & HasXmp) != 0 && xmp.Length == 0)
            {
                xmp = data.ToArray();
            }

            rest = rest[Math.Min(rest.Length, 8 + data.Length + (data.Length & 1))..];
        }

        return new ImageMetadata(exif, xmp);
    }
}
