using System.Buffers.Binary;

namespace Diffusion.Imaging;

/// <summary>The parts of a GIF file around the compressed pixels.</summary>
/// <remarks>GIF89a specification (CompuServe, 1990), sections 18 to 27, and the Netscape extension for loops.</remarks>
internal static class GifFormat
{
    private const byte TableOf256 = 0b1_111_0_111; // there is a table, 8 bits a channel, 2^(7+1) colours

    /// <summary>The header, the palette of greys where frames use it, and how often to show the animation.</summary>
    public static void WriteStart(Stream stream, int width, int height, int loops, bool hasGreyFrames)
    {
        stream.Write("GIF89a"u8);
        WriteNumber(stream, width);
        WriteNumber(stream, height);
        stream.Write([hasGreyFrames ? TableOf256 : (byte)0b0_111_0_000, 0, 0]); // background colour 0, no pixel aspect ratio
        for (var level = 0; hasGreyFrames && level < 256; level++)
        {
            stream.Write([(byte)level, (byte)level, (byte)level]);
        }

        // The extension counts repetitions after the first showing; without it the animation is shown once.
        if (loops != 1)
        {
            stream.Write([0x21, 0xff, 11, .. "NETSCAPE2.0"u8, 3, 1]);
            WriteNumber(stream, loops == 0 ? 0 : loops - 1);
            stream.WriteByte(0);
        }
    }

    /// <summary>A frame that covers the whole picture.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="width">The width in pixels.</param>
    /// <param name="height">The height in pixels.</param>
    /// <param name="delay">How long it is shown, in hundredths of a second.</param>
    /// <param name="palette">256 colours of 3 bytes, or <see langword="null"/> for the greys of the file.</param>
    /// <param name="indices">The colour of every pixel.</param>
    public static void WriteFrame(Stream stream, int width, int height, int delay, byte[]? palette, ReadOnlySpan<byte> indices)
    {
        stream.Write([0x21, 0xf9, 4, 0b000_001_0_0]); // graphic control: leave the frame in place, no transparency
        WriteNumber(stream, delay);
        stream.Write([0, 0, 0x2c]);
        WriteNumber(stream, 0);
        WriteNumber(stream, 0);
        WriteNumber(stream, width);
        WriteNumber(stream, height);
        stream.WriteByte(palette is null ? (byte)0 : (byte)0b1_0_0_00_111);
        stream.Write(palette);
        LzwEncoder.Encode(indices, stream);
    }

    /// <summary>The trailer.</summary>
    public static void WriteEnd(Stream stream) => stream.WriteByte(0x3b);

    private static void WriteNumber(Stream stream, int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        stream.Write(bytes);
    }
}
