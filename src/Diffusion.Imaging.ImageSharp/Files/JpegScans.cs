using System.Buffers.Binary;

namespace Diffusion.Imaging.ImageSharp;

/// <summary>The scans of JPEG files.</summary>
/// <remarks>ITU-T T.81, B.1.1 (markers).</remarks>
internal static class JpegScans
{
    private const byte EndOfImage = 0xd9;

    /// <summary>Whether the file goes on to the marker that ends the image.</summary>
    public static bool End(ReadOnlySpan<byte> file)
    {
        var rest = file[2..];
        for (var start = rest.IndexOf((byte)0xff); start >= 0; start = rest.IndexOf((byte)0xff))
        {
            rest = rest[start..].TrimStart((byte)0xff);
            if (rest.Length == 0 || rest[0] == EndOfImage)
            {
                return rest.Length > 0;
            }

            var marker = rest[0];
            rest = rest[1..];
            if (marker is 0x00 or 0x01 or (>= 0xd0 and <= 0xd8))
            {
                continue; // a byte of the scan, or a marker of no length
            }

            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && length > rest.Length)
            {
                return false;
            }

            rest = rest[length..];
        }

        return false;
    }
}
