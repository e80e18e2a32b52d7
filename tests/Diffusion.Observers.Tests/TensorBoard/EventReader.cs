using System.Text;

namespace Diffusion.Observers.Tests;

/// <summary>An event as a file of TensorBoard holds it.</summary>
internal sealed record ReadEvent(double Time, long Step, string? Version, int? Session, IReadOnlyDictionary<string, float> Scalars, IReadOnlyDictionary<string, (long Height, long Width, long Colors, byte[] File)> Images);

/// <summary>Reads files of TensorBoard, written from the formats' descriptions and with nothing of the library: any wrong length, checksum or field is an error.</summary>
internal static class EventReader
{
    public static List<ReadEvent> Read(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        var events = new List<ReadEvent>();
        while (reader.BaseStream.Position < reader.BaseStream.Length)
        {
            var length = reader.ReadBytes(8);
            Assert.Equal(Masked(length), reader.ReadUInt32());
            var content = reader.ReadBytes(checked((int)BitConverter.ToInt64(length)));
            Assert.Equal(Masked(content), reader.ReadUInt32());
            events.Add(Event(content));
        }

        return events;
    }

    /// <summary>The Castagnoli checksum bit by bit, then the mask of TFRecord.</summary>
    public static uint Masked(byte[] bytes)
    {
        var crc = 0xffffffffu;
        foreach (var each in bytes)
        {
            crc ^= each;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82f63b78u);
            }
        }

        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8u);
    }

    private static ReadEvent Event(byte[] bytes)
    {
        var (time, step, version, session) = (0.0, 0L, (string?)null, (int?)null);
        var (scalars, images) = (new Dictionary<string, float>(), new Dictionary<string, (long, long, long, byte[])>());
        foreach (var (field, value) in Fields(bytes))
        {
            switch (field)
            {
                case 1: time = BitConverter.ToDouble((byte[])value); break;
                case 2: step = (long)value; break;
                case 3: version = Encoding.UTF8.GetString((byte[])value); break;
                case 5: Summary((byte[])value, scalars, images); break;
                case 7: session = (int)(long)Fields((byte[])value).Single(inner => inner.Field == 1).Value; break;
                default: Assert.Fail($"event field {field}"); break;
            }
        }

        return new(time, step, version, session, scalars, images);
    }

    private static void Summary(byte[] bytes, Dictionary<string, float> scalars, Dictionary<string, (long, long, long, byte[])> images)
    {
        foreach (var (field, value) in Fields(bytes))
        {
            Assert.Equal(1, field);
            var inner = Fields((byte[])value).ToDictionary(each => each.Field, each => each.Value);
            var tag = Encoding.UTF8.GetString((byte[])inner[1]);
            if (inner.TryGetValue(2, out var scalar))
            {
                scalars.Add(tag, BitConverter.ToSingle((byte[])scalar));
            }
            else
            {
                var image = Fields((byte[])inner[4]).ToDictionary(each => each.Field, each => each.Value);
                images.Add(tag, ((long)image[1], (long)image[2], (long)image[3], (byte[])image[4]));
            }
        }
    }

    /// <summary>The fields of a message: numbers as <see cref="long"/>, all others as their bytes.</summary>
    private static List<(int Field, object Value)> Fields(byte[] bytes)
    {
        var (fields, at) = (new List<(int, object)>(), 0);
        while (at < bytes.Length)
        {
            var key = Varint();
            var take = (key & 7) switch { 0 => -1, 1 => 8, 2 => (int)Varint(), 5 => 4, var wire => throw new InvalidDataException($"wire type {wire}") };
            fields.Add(((int)(key >> 3), take < 0 ? Varint() : bytes[at..(at += take)]));
        }

        Assert.Equal(bytes.Length, at);
        return fields;

        long Varint()
        {
            var (value, shift) = (0L, 0);
            while (true)
            {
                var next = bytes[at++];
                value |= (next & 0x7fL) << shift;
                shift += 7;
                if (next < 0x80)
                {
                    return value;
                }
            }
        }
    }
}
