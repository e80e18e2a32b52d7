using System.Buffers.Binary;

namespace Diffusion.Imaging;

/// <summary>The metadata of JPEG files: segments APP1 before the first scan.</summary>
/// <remarks>ITU-T T.81, B.1.1 (markers); Exif 2.3, 4.7.2 (EXIF in APP1).</remarks>
internal static class JpegMetadata
{
    private const byte App1 = 0xe1;
    private const byte Scan = 0xda;
    private const byte End = 0xd9;

    public static ReadOnlySpan<byte> Signature => [0xff, 0xd8, 0xff];

    private static ReadOnlySpan<byte> Exif => "Exif\0"u8; // and one byte more, which should be 0

    private static ReadOnlySpan<byte> Xmp => "http://ns.adobe.com/xap/1.0/\0"u8;

    public static ImageMetadata Read(ReadOnlySpan<byte> file)
    {
        var (exif, xmp) = (new List<byte>(), Array.Empty<byte>());
        var rest = file[2..];
        while (Next(ref rest) is { } marker and not (Scan or End))
        {
            if (IsAlone(marker))
            {
                continue;
            }

            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && (length < 2 || length > rest.Length))
            {
                break;
            }

            var data = rest[2..length];
            if (marker == App1 && data.StartsWith(Exif) && data.Length > Exif.Length)
            {
                exif.AddRange(data[(Exif.Length + 1)..]); // a block of more than 64 KB lies in several segments
            }
            else if (marker == App1 && data.StartsWith(Xmp))
            {
                xmp = data[Xmp.Length..].ToArray();
            }

            rest = rest[length..];
        }

        return new ImageMetadata([.. exif], xmp);
    }

    /// <summary>The code of the next marker, and what follows it; <see langword="null"/> at the end.</summary>
    private static byte? Next(ref ReadOnlySpan<byte> rest)
    {
        for (var start = rest.IndexOf((byte)0xff); start >= 0; start = rest.IndexOf((byte)0xff))
        {
            rest = rest[start..].TrimStart((byte)0xff); // any number of them may stand before the code
            if (rest.Length > 0 && rest[0] != 0)
            {
                var code = rest[0];
                rest = rest[1..];
                return code;
            }
        }

        return null;
    }

    /// <summary>Whether a marker has no length: restarts, TEM and another start.</summary>
    private static bool IsAlone(byte marker) => marker is 0x01 or (>= 0xd0 and <= 0xd8);
}
