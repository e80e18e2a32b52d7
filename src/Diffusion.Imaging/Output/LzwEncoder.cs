namespace Diffusion.Imaging;

/// <summary>
/// Compresses 8-bit palette indices as GIF wants them: variable-width LZW codes of 9 to 12 bits, in blocks of up to 255 bytes.
/// </summary>
/// <remarks>GIF89a specification, Appendix F; T. Welch, "A technique for high-performance data compression", 1984.</remarks>
internal sealed class LzwEncoder
{
    private const int Clear = 256;
    private const int End = 257;
    private const int FirstFree = 258;
    private const int MaxCodes = 4096;
    private const int Slots = 1 << 13; // twice as many as codes: a free slot is always near
    private readonly int[] _strings = new int[Slots]; // (prefix code << 8 | next value) + 1, or 0 for a free slot
    private readonly short[] _codes = new short[Slots];
    private readonly byte[] _block = new byte[256]; // its length first
    private readonly Stream _stream;
    private int _blockLength;
    private int _bits;
    private int _bitCount;
    private int _width;
    private int _next;

    private LzwEncoder(Stream stream) => _stream = stream;

    /// <summary>Writes the image data of a frame: the code size, the blocks and the empty block at the end.</summary>
    public static void Encode(ReadOnlySpan<byte> values, Stream stream)
    {
        stream.WriteByte(8);
        new LzwEncoder(stream).Encode(values);
        stream.WriteByte(0);
    }

    private void Encode(ReadOnlySpan<byte> values)
    {
        _width = 9;
        Reset();
        int prefix = values[0];
        foreach (var value in values[1..])
        {
            var text = ((prefix << 8) | value) + 1;
            var slot = Find(text);
            if (_strings[slot] == text)
            {
                prefix = _codes[slot];
                continue;
            }

            Emit(prefix);
            if (_next == MaxCodes)
            {
                Reset();
            }
            else
            {
                (_strings[slot], _codes[slot]) = (text, (short)_next++);
            }

            prefix = value;
        }

        Emit(prefix);
        Emit(End);
        Flush();
    }

    /// <summary>The slot of a string, or the free slot where it belongs.</summary>
    private int Find(int text)
    {
        var slot = (int)((uint)text * 2654435769u >> 19);
        while (_strings[slot] != 0 && _strings[slot] != text)
        {
            slot = (slot + 1) & (Slots - 1);
        }

        return slot;
    }

    private void Reset()
    {
        Emit(Clear);
        Array.Clear(_strings);
        (_width, _next) = (9, FirstFree);
    }

    /// <summary>Writes a code; the width grows when the next free code would not fit, which is when the reader's does.</summary>
    private void Emit(int code)
    {
        _bits |= code << _bitCount;
        for (_bitCount += _width; _bitCount >= 8; _bitCount -= 8)
        {
            Append((byte)_bits);
            _bits >>= 8;
        }

        if (_next == 1 << _width && _width < 12)
        {
            _width++;
        }
    }

    private void Append(byte value)
    {
        _block[++_blockLength] = value;
        if (_blockLength == 255)
        {
            WriteBlock();
        }
    }

    private void Flush()
    {
        if (_bitCount > 0)
        {
            Append((byte)_bits);
        }

        if (_blockLength > 0)
        {
            WriteBlock();
        }
    }

    private void WriteBlock()
    {
        _block[0] = (byte)_blockLength;
        _stream.Write(_block, 0, _blockLength + 1);
        _blockLength = 0;
    }
}
