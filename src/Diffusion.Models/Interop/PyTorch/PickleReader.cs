using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Diffusion.Models;

/// <summary>The arguments of pickle opcodes. Reads no further than the pickle's end, and no more than <see cref="MaximumLength"/> bytes.</summary>
internal sealed class PickleReader(Stream stream)
{
    /// <summary>The most bytes of a pickle: a checkpoint's has some kilobytes, its numbers are in the storages.</summary>
    public const int MaximumLength = 64 << 20;

    private const int MaximumLineLength = 1024;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes read so far.</summary>
    public long Position { get; private set; }

    public byte ReadByte()
    {
        Advance(1);
        return stream.ReadByte() is >= 0 and var value ? (byte)value : throw new EndOfStreamException("its pickle ends early");
    }

    public long ReadUInt16()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        Read(bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    public long ReadInt32()
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        Read(bytes);
        return BinaryPrimitives.ReadInt32LittleEndian(bytes);
    }

    public long ReadUInt32() => (uint)ReadInt32();

    public long ReadInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        Read(bytes);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }

    public double ReadDouble()
    {
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        Read(bytes);
        return BinaryPrimitives.ReadDoubleBigEndian(bytes);
    }

    /// <summary>An integer of up to 255 bytes: a <see cref="long"/> where it fits, a <see cref="BigInteger"/> where not.</summary>
    public object ReadInteger()
    {
        Span<byte> bytes = stackalloc byte[ReadByte()];
        Read(bytes);
        var value = new BigInteger(bytes);
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    public string ReadText(long length) => Decode(ReadBytes(length));

    public byte[] ReadBytes(long length)
    {
        if (length < 0 || length > stream.Length - stream.Position)
        {
            throw new InvalidDataException($"its pickle has a text of {length} bytes, more than are left");
        }

        Advance(length);
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public string ReadLine()
    {
        var bytes = new List<byte>();
        for (var next = ReadByte(); next != (byte)'\n'; next = ReadByte())
        {
            bytes.Add(bytes.Count < MaximumLineLength ? next : throw new InvalidDataException("its pickle has a name of over 1024 bytes"));
        }

        return Decode([.. bytes]);
    }

    private static string Decode(byte[] bytes)
    {
        try
        {
            return s_utf8.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException("its pickle has a text that is not UTF-8", exception);
        }
    }

    private void Read(Span<byte> bytes)
    {
        Advance(bytes.Length);
        stream.ReadExactly(bytes);
    }

    private void Advance(long count)
    {
        Position += count;
        if (Position > MaximumLength)
        {
            throw new InvalidDataException($"its pickle has over {MaximumLength} bytes");
        }
    }
}
