using System.Buffers.Binary;
using System.IO.Compression;

namespace Diffusion.Imaging.ImageSharp;

/// <summary>The chunks of PNG files that hold pixels.</summary>
/// <remarks>PNG, third edition (W3C, 2025), 5.3 (chunks), 8.1 (interlacing), 10.1 (compression).</remarks>
internal static class PngPixels
{
    private const int Frame = 12; // length, type and check sum

    private static readonly (int X, int Y, int Dx, int Dy)[] s_passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>Whether all chunks up to the last one are there, the check sums of those with pixels are right, and these hold every row.</summary>
    public static bool AreWhole(ReadOnlySpan<byte> file, int width, int height)
    {
        using var pixels = new MemoryStream();
        var header = ReadOnlySpan<byte>.Empty;
        var rest = file[PngMetadata.Signature.Length..];
        while (rest.Length >= Frame && BinaryPrimitives.ReadUInt32BigEndian(rest) is var length && length <= rest.Length - Frame)
        {
            var type = rest.Slice(4, 4);
            var data = rest.Slice(8, (int)length);
            if (type.SequenceEqual("IHDR"u8) && length == 13)
            {
                header = data;
            }
            else if (type.SequenceEqual("IDAT"u8))
            {
                if (Crc32.Of(rest.Slice(4, data.Length + 4)) != BinaryPrimitives.ReadUInt32BigEndian(rest[(data.Length + 8)..]))
                {
                    return false;
                }

                pixels.Write(data);
            }
            else if (type.SequenceEqual("IEND"u8))
            {
                break;
            }

            rest = rest[(data.Length + Frame)..];
        }

        pixels.Position = 0;
        return header.Length > 0 && rest.Length >= Frame && Holds(pixels, Size(header, width, height));
    }

    /// <summary>Whether one colour of 16 bits a channel is transparent.</summary>
    public static bool HaveATransparentColorOf16Bits(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith(PngMetadata.Signature) || file.Length < 26 || file[24] != 16)
        {
            return false;
        }

        var rest = file[PngMetadata.Signature.Length..];
        while (rest.Length >= Frame && BinaryPrimitives.ReadUInt32BigEndian(rest) is var length && length <= rest.Length - Frame && !rest[4..].StartsWith("IDAT"u8))
        {
            if (rest[4..].StartsWith("tRNS"u8))
            {
                return true;
            }

            rest = rest[((int)length + Frame)..];
        }

        return false;
    }

    /// <summary>The bytes of all rows, each with the byte that names its filter.</summary>
    private static long Size(ReadOnlySpan<byte> header, int width, int height)
    {
        var bits = header[8] * header[9] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        return header[12] == 0
            ? height * Row(width, bits)
            : s_passes.Sum(pass => Across(height, pass.Y, pass.Dy) * Row(Across(width, pass.X, pass.Dx), bits));
    }

    private static long Row(long width, int bits) => width == 0 ? 0 : ((width * bits) + 7) / 8 + 1;

    private static long Across(int size, int first, int step) => size > first ? (size - first + step - 1) / step : 0;

    private static bool Holds(Stream compressed, long bytes)
    {
        using var zlib = new ZLibStream(compressed, CompressionMode.Decompress);
        var block = new byte[1 << 16];
        var found = 0L;
        for (var read = zlib.Read(block); read > 0 && found <= bytes; read = zlib.Read(block))
        {
            found += read;
        }

        return found >= bytes;
    }
}
