using System.IO.Compression;
using System.Text;

namespace Diffusion.Imaging;

/// <summary>The text chunks of PNG files: a keyword, and Latin-1 or UTF-8 that may be compressed.</summary>
internal static class PngText
{
    private const int Longest = 1 << 20; // what a text may grow to

    /// <summary>The EXIF block that ImageMagick writes as hexadecimal digits, after three lines: empty, "exif", and the length.</summary>
    public static byte[]? Profile(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        if (Text(type, data, "Raw profile type exif"u8) is not { } text)
        {
            return null;
        }

        var digits = string.Concat(Encoding.Latin1.GetString(text).Split('\n').Skip(3).Select(line => line.Trim()));
        try
        {
            return Convert.FromHexString(digits);
        }
        catch (FormatException)
        {
            return null; // damaged
        }
    }

    public static byte[]? Xmp(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data) => Text(type, data, "XML:com.adobe.xmp"u8);

    /// <summary>The text of a chunk with a keyword; <see langword="null"/> for another keyword and where it is damaged.</summary>
    private static byte[]? Text(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data, ReadOnlySpan<byte> keyword)
    {
        if (data.Length <= keyword.Length || !data.StartsWith(keyword) || data[keyword.Length] != 0)
        {
            return null;
        }

        var rest = data[(keyword.Length + 1)..];
        switch (type[0])
        {
            case (byte)'t':
                return rest.ToArray();
            case (byte)'z':
                return rest.Length > 1 && rest[0] == 0 ? Inflated(rest[1..]) : null;
            default: // flag and method of the compression, then a language and a translated keyword, both with 0 at their ends
                var (flag, language) = (rest.Length > 2 ? rest[0] : -1, rest.Length > 2 ? rest[2..].IndexOf((byte)0) : -1);
                var translated = language < 0 ? -1 : rest[(language + 3)..].IndexOf((byte)0);
                return translated < 0 ? null : rest[(language + translated + 4)..] is var text && flag == 1 ? Inflated(text) : text.ToArray();
        }
    }

    private static byte[]? Inflated(ReadOnlySpan<byte> compressed)
    {
        using var zlib = new ZLibStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
        var text = new byte[Longest + 1];
        try
        {
            var length = zlib.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return length <= Longest ? text[..length] : null;
        }
        catch (InvalidDataException)
        {
            return null; // damaged
        }
    }
}
