using System.Buffers.Binary;

namespace Diffusion.Imaging;

/// <summary>How a picture lies in its file, as the camera or a program noted: the tag Orientation of EXIF, and where that is absent, of XMP.</summary>
/// <remarks>TIFF 6.0, section 2 (directories) and the tag 274. What is taken is what Pillow's ImageOps.exif_transpose takes (python-pillow/Pillow, src/PIL/Image.py, getexif).</remarks>
internal static class EncodedOrientation
{
    private const int Upright = 1;
    private const ushort Tag = 274;
    private const int EntrySize = 12;

    /// <summary>The orientation, 1 to 8; 1, upright, where the file says nothing, or nothing that can be read.</summary>
    public static int Of(ReadOnlySpan<byte> file)
    {
        var metadata = ImageMetadata.Read(file);
        return (OfExif(metadata.Exif) ?? OfXmp(metadata.Xmp)) is { } noted and >= 1 and <= 8 ? (int)noted : Upright;
    }

    /// <summary>The value of the tag; <see langword="null"/> where it is absent or damaged.</summary>
    private static long? OfExif(ReadOnlySpan<byte> block)
    {
        while (block.StartsWith("Exif\0\0"u8))
        {
            block = block[6..];
        }

        bool little;
        if (block.Length < 8 || !((little = block.StartsWith("II"u8)) || block.StartsWith("MM"u8)) || U16(block[2..], little) is not (42 or 42 << 8)) // some write it in the other order
        {
            return null;
        }

        var start = U32(block[4..], little);
        if (start > block.Length - 2)
        {
            return null;
        }

        var directory = block[(int)start..];
        var count = Math.Min(U16(directory, little), (directory.Length - 2) / EntrySize);
        long? found = null;
        for (var i = 0; i < count; i++)
        {
            var entry = directory.Slice(2 + (i * EntrySize), EntrySize);
            if (U16(entry, little) == Tag)
            {
                found = Value(block, entry, little) ?? found;
            }
        }

        return found;
    }

    /// <summary>The first of an entry's integers.</summary>
    private static long? Value(ReadOnlySpan<byte> block, ReadOnlySpan<byte> entry, bool little)
    {
        var (type, count) = (U16(entry[2..], little), U32(entry[4..], little));
        var size = type switch { 6 => 1, 3 or 8 => 2, 4 or 9 => 4, _ => 0 }; // signed byte, (signed) SHORT, (signed) LONG
        var data = entry[8..];
        if (size == 0 || count == 0)
        {
            return null;
        }

        if (count * size > 4) // it stands elsewhere
        {
            var offset = U32(data, little);
            if (offset + (count * size) > block.Length)
            {
                return null;
            }

            data = block[(int)offset..];
        }

        return size switch { 1 => (sbyte)data[0], 2 => type == 3 ? U16(data, little) : (short)U16(data, little), _ => type == 4 ? U32(data, little) : (int)U32(data, little) };
    }

    /// <summary>The digit after tiff:Orientation, as an attribute or an element.</summary>
    private static long? OfXmp(ReadOnlySpan<byte> text)
    {
        for (var at = text.IndexOf("tiff:Orientation"u8); at >= 0; at = text.IndexOf("tiff:Orientation"u8))
        {
            text = text[(at + 16)..];
            var before = text.StartsWith("=\""u8) ? 2 : text.StartsWith(">"u8) ? 1 : 0;
            if (before > 0 && text.Length > before && text[before] is >= (byte)'0' and <= (byte)'9')
            {
                return text[before] - '0';
            }
        }

        return null;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, bool little) => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static long U32(ReadOnlySpan<byte> bytes, bool little) => little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
