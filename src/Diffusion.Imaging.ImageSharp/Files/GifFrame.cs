using System.Buffers.Binary;

namespace Diffusion.Imaging.ImageSharp;

/// <summary>The first image of a GIF file: where it lies on the canvas.</summary>
/// <remarks>GIF89a (CompuServe, 1990), sections 15 to 24.</remarks>
internal readonly record struct GifFrame(int Left, int Top, int Width, int Height)
{
    private const int Header = 13;
    private const byte Extension = 0x21;
    private const byte Image = 0x2c;

    public static bool Is(ReadOnlySpan<byte> file) => file.StartsWith("GIF8"u8);

    /// <summary>Finds the first image, and looks through it.</summary>
    /// <returns>The image; <see langword="null"/> where there is none, or a part of its pixels only.</returns>
    public static GifFrame? Find(ReadOnlySpan<byte> file)
    {
        if (file.Length < Header || !Skip(ref file, Header + Table(file[10])))
        {
            return null;
        }

        while (file.Length > 2 && file[0] == Extension)
        {
            if (!Skip(ref file, 2) || Blocks(ref file) is null)
            {
                return null;
            }
        }

        if (file.Length < 11 || file[0] != Image)
        {
            return null;
        }

        var frame = new GifFrame(U16(file[1..]), U16(file[3..]), U16(file[5..]), U16(file[7..]));
        return Skip(ref file, 10 + Table(file[9])) && file.Length > 0 && file[0] is var bits && Skip(ref file, 1)
            && Blocks(ref file) is { } codes && LzwCodes.Pixels(codes, bits) >= (long)frame.Width * frame.Height ? frame : null;
    }

    /// <summary>Lays white around the image, where it does not cover the canvas.</summary>
    /// <param name="rgb">The canvas.</param>
    /// <param name="width">Its width.</param>
    public void WhitenAround(Span<byte> rgb, int width)
    {
        for (var y = 0; y * width * 3 < rgb.Length; y++)
        {
            var row = rgb.Slice(y * width * 3, width * 3);
            if (y < Top || y >= Top + Height)
            {
                row.Fill(255);
                continue;
            }

            row[..(3 * Left)].Fill(255);
            row[(3 * (Left + Width))..].Fill(255);
        }
    }

    private static int U16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    /// <summary>The bytes of a table of colours.</summary>
    private static int Table(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    /// <summary>What the blocks up to the empty one hold; <see langword="null"/> where that is missing.</summary>
    private static byte[]? Blocks(ref ReadOnlySpan<byte> rest)
    {
        var data = new List<byte>();
        while (rest.Length > 0)
        {
            var block = rest[1..];
            var size = rest[0];
            if (!Skip(ref rest, size + 1))
            {
                return null;
            }

            if (size == 0)
            {
                return [.. data];
            }

            data.AddRange(block[..size]);
        }

        return null;
    }

    private static bool Skip(ref ReadOnlySpan<byte> rest, int count)
    {
        if (count > rest.Length)
        {
            return false;
        }

        rest = rest[count..];
        return true;
    }
}
