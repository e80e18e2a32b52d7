namespace Diffusion.Imaging.Tests;

/// <summary>EXIF blocks that note an orientation, and files with them.</summary>
public static class ExifBytes
{
    /// <summary>The types BYTE, SHORT and LONG of TIFF.</summary>
    public const int Of8Bits = 1, Of16Bits = 3, Of32Bits = 4;

    /// <summary>A block with the tags Make and Orientation.</summary>
    public static byte[] Block(int orientation, bool little = true, int type = Of16Bits, int count = 1)
    {
        using var stream = new MemoryStream();
        stream.Write(little ? "II"u8 : "MM"u8);
        U16(42);
        U32(8);
        U16(2);
        Entry(271, 2, 4, [.. "cam\0"u8]);
        var size = type == Of32Bits ? 4 : type is Of16Bits or 8 ? 2 : 1;
        var value = Number(orientation, size).Concat(new byte[4]).ToArray();
        Entry(274, type, count, (long)count * size <= 4 ? value[..4] : Number(8 + 2 + 24 + 4, 4));
        U32(0);
        stream.Write(Enumerable.Repeat(value[..size], Math.Min(count, 8)).SelectMany(each => each).ToArray());
        return stream.ToArray();

        byte[] Number(int number, int bytes)
        {
            var order = BitConverter.GetBytes(number)[..bytes];
            return little ? order : [.. order.Reverse()];
        }

        void U16(int number) => stream.Write(Number(number, 2));
        void U32(int number) => stream.Write(Number(number, 4));
        void Entry(int tag, int kind, int length, byte[] data)
        {
            U16(tag);
            U16(kind);
            U32(length);
            stream.Write(data);
        }
    }

    /// <summary>A JPEG file with a block, after a segment of another kind.</summary>
    public static byte[] InJpeg(byte[] jpeg, byte[] block) => [.. jpeg[..2], .. Segment(0xfe, [.. "a comment"u8]), .. Segment(0xe1, [.. "Exif\0\0"u8, .. block]), .. jpeg[2..]];

    public static byte[] Segment(byte marker, byte[] data) => [0xff, marker, (byte)((data.Length + 2) >> 8), (byte)(data.Length + 2), .. data];

    /// <summary>A WebP file of the extended form, with a chunk EXIF or XMP behind the pixels.</summary>
    public static byte[] InWebP(byte[] webp, int width, int height, byte[] block, string chunk = "EXIF")
    {
        byte[] features = [(byte)(chunk == "EXIF" ? 8 : 4), 0, 0, 0, .. BitConverter.GetBytes(width - 1)[..3], .. BitConverter.GetBytes(height - 1)[..3]];
        byte[] body = [.. "WEBP"u8, .. Chunk("VP8X", features), .. webp[12..], .. Chunk(chunk, block)];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }

    public static byte[] Chunk(string type, byte[] data) =>
        [.. System.Text.Encoding.ASCII.GetBytes(type), .. BitConverter.GetBytes(data.Length), .. data, .. new byte[data.Length & 1]];
}
