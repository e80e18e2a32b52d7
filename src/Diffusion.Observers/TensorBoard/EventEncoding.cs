using System.Buffers.Binary;
using System.Text;

namespace Diffusion.Observers;

/// <summary>Events of TensorBoard in the encoding of protocol buffers.</summary>
/// <remarks>
/// tensorflow/core/util/event.proto and framework/summary.proto. Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7. Summary: value 1. Value: tag 1,
/// simple_value 2, image 4. Image: height 1, width 2, colorspace 3, encoded_image_string 4. SessionLog: status 1, of which 1 is START.
/// </remarks>
internal static class EventEncoding
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Bytes = 2;
    private const int Fixed32 = 5;

    public static byte[] Version(double time) => Event(time, 0, stream => WriteBytes(stream, 3, "brain.Event:2"u8));

    /// <summary>Says that the run begins at a step: what was written of it and later ones does not count.</summary>
    public static byte[] Restart(double time, int step) => Event(time, step, stream => WriteMessage(stream, 7, log => WriteNumber(log, 1, 1)));

    public static byte[] Scalars(double time, int step, IReadOnlyList<(string Name, double Value)> scalars) => Event(time, step, stream => WriteMessage(stream, 5, summary =>
    {
        foreach (var (name, value) in scalars)
        {
            WriteMessage(summary, 1, each =>
            {
                WriteBytes(each, 1, Encoding.UTF8.GetBytes(name));
                WriteFloat(each, 2, (float)value);
            });
        }
    }));

    public static byte[] Picture(double time, TrainingPicture picture) => Event(time, picture.Step, stream => WriteMessage(stream, 5, summary => WriteMessage(summary, 1, value =>
    {
        WriteBytes(value, 1, Encoding.UTF8.GetBytes(picture.Name));
        WriteMessage(value, 4, image =>
        {
            WriteNumber(image, 1, picture.Height);
            WriteNumber(image, 2, picture.Width);
            WriteNumber(image, 3, picture.Channels);
            WriteBytes(image, 4, picture.Png.Span);
        });
    })));

    private static byte[] Event(double time, int step, Action<MemoryStream> content)
    {
        var stream = new MemoryStream();
        WriteDouble(stream, 1, time);
        WriteNumber(stream, 2, step);
        content(stream);
        return stream.ToArray();
    }

    private static void WriteMessage(MemoryStream stream, int field, Action<MemoryStream> content)
    {
        var inner = new MemoryStream();
        content(inner);
        WriteBytes(stream, field, inner.GetBuffer().AsSpan(0, (int)inner.Length));
    }

    private static void WriteBytes(MemoryStream stream, int field, ReadOnlySpan<byte> bytes)
    {
        WriteVarint(stream, (field << 3) | Bytes);
        WriteVarint(stream, bytes.Length);
        stream.Write(bytes);
    }

    private static void WriteNumber(MemoryStream stream, int field, int value)
    {
        WriteVarint(stream, (field << 3) | Varint);
        WriteVarint(stream, value);
    }

    private static void WriteDouble(MemoryStream stream, int field, double value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        WriteVarint(stream, (field << 3) | Fixed64);
        stream.Write(bytes);
    }

    private static void WriteFloat(MemoryStream stream, int field, float value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        WriteVarint(stream, (field << 3) | Fixed32);
        stream.Write(bytes);
    }

    /// <summary>7 bits a byte, the lowest first; the highest bit says that more follow.</summary>
    private static void WriteVarint(MemoryStream stream, int value)
    {
        var left = (uint)value;
        for (; left >= 0x80; left >>= 7)
        {
            stream.WriteByte((byte)(left | 0x80));
        }

        stream.WriteByte((byte)left);
    }
}
