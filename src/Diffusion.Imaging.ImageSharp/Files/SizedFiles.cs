using System.Buffers.Binary;

namespace Diffusion.Imaging.ImageSharp;

/// <summary>BMP and WebP, whose headers say how long they are.</summary>
internal static class SizedFiles
{
    /// <summary>RFC 9649, 2.4: the size of what follows the first eight bytes.</summary>
    public static bool WebPIsWhole(ReadOnlySpan<byte> file) => BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) <= file.Length - 8;

    /// <summary>Whether the rows are there: all of them, or as many bytes as the header says where they are compressed.</summary>
    public static bool BmpIsWhole(ReadOnlySpan<byte> file)
    {
        if (file.Length < 26)
        {
            return false;
        }

        var (start, header) = (BinaryPrimitives.ReadUInt32LittleEndian(file[10..]), BinaryPrimitives.ReadUInt32LittleEndian(file[14..]));
        long width, height, bits, compression = 0, size = 0;
        if (header == 12)
        {
            (width, height, bits) = (BinaryPrimitives.ReadUInt16LittleEndian(file[18..]), BinaryPrimitives.ReadUInt16LittleEndian(file[20..]), BinaryPrimitives.ReadUInt16LittleEndian(file[24..]));
        }
        else if (file.Length >= 38)
        {
            (width, height) = (BinaryPrimitives.ReadInt32LittleEndian(file[18..]), Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[22..])));
            (bits, compression) = (BinaryPrimitives.ReadUInt16LittleEndian(file[28..]), BinaryPrimitives.ReadUInt32LittleEndian(file[30..]));
            size = BinaryPrimitives.ReadUInt32LittleEndian(file[34..]);
        }
        else
        {
            return false;
        }

        var needed = compression is 1 or 2 ? size : ((width * bits) + 31) / 32 * 4 * height;
        return start + needed <= file.Length;
    }

    /// <summary>Whether the fourth byte of each pixel means nothing: 32 bits without masks.</summary>
    public static bool BmpIsOpaque(ReadOnlySpan<byte> file) => file.StartsWith("BM"u8) && file.Length >= 34 && BinaryPrimitives.ReadUInt32LittleEndian(file[30..]) == 0;
}
