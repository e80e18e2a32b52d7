using System.Buffers.Binary;
using System.IO.Compression;

namespace Diffusion.Imaging.Tests;

/// <summary>PNG files of every kind, which codecs do not write.</summary>
public static class PngBytes
{
    public const int Grey = 0, Rgb = 2, Palette = 3, GreyAlpha = 4, Rgba = 6;

    private static readonly (int X, int Y, int Dx, int Dy)[] s_passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>A file.</summary>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <param name="bits">Of a value: 1, 2, 4, 8 or 16.</param>
    /// <param name="kind">The colour type.</param>
    /// <param name="value">The value of a pixel's channel, in [0, 2^bits).</param>
    /// <param name="interlaced">Whether the pixels lie in the order of Adam7.</param>
    /// <param name="before">Chunks before the pixels.</param>
    /// <param name="after">Chunks after the pixels.</param>
    public static byte[] Make(int width, int height, int bits, int kind, Func<int, int, int, int> value, bool interlaced = false, byte[]? before = null, byte[]? after = null)
    {
        using var rows = new MemoryStream();
        foreach (var (x, y, dx, dy) in interlaced ? s_passes : [(0, 0, 1, 1)])
        {
            for (var row = y; row < height && x < width; row += dy)
            {
                rows.WriteByte(0);
                rows.Write(Row([.. from column in Enumerable.Range(0, width) where column >= x && (column - x) % dx == 0 from c in Enumerable.Range(0, Channels(kind)) select value(column, row, c)], bits));
            }
        }

        return Of(Header(width, height, bits, kind, interlaced), [.. before ?? [], .. Chunk("IDAT", Compressed(rows.ToArray())), .. after ?? []]);
    }

    public static byte[] Header(int width, int height, int bits, int kind, bool interlaced = false)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)bits, (byte)kind, (byte)(interlaced ? 1 : 0));
        return header;
    }

    public static byte[] Of(byte[] header, byte[] chunks) => [0x89, .. "PNG\r\n"u8, 0x1a, (byte)'\n', .. Chunk("IHDR", header), .. chunks, .. Chunk("IEND", [])];

    public static byte[] Chunk(string type, byte[] data)
    {
        byte[] named = [.. System.Text.Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[named.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        named.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(named.Length + 4), Sum(named));
        return chunk;
    }

    public static byte[] Compressed(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var zlib = new ZLibStream(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(bytes);
        }

        return stream.ToArray();
    }

    public static int Channels(int kind) => kind switch { Rgb => 3, GreyAlpha => 2, Rgba => 4, _ => 1 };

    private static byte[] Row(int[] values, int bits)
    {
        if (bits == 16)
        {
            return [.. values.SelectMany(value => new[] { (byte)(value >> 8), (byte)value })];
        }

        var row = new byte[((values.Length * bits) + 7) / 8];
        for (var i = 0; i < values.Length; i++)
        {
            row[i * bits / 8] |= (byte)(values[i] << (8 - bits - (i * bits % 8)));
        }

        return row;
    }

    // The definition, bit by bit.
    private static uint Sum(byte[] bytes)
    {
        var sum = uint.MaxValue;
        foreach (var value in bytes)
        {
            sum ^= value;
            for (var i = 0; i < 8; i++)
            {
                sum = (sum >> 1) ^ ((sum & 1) * 0xEDB88320);
            }
        }

        return ~sum;
    }
}
