using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Diffusion.Evaluation;

/// <summary>Reads one array out of an archive of NumPy, whole and checked, or not at all.</summary>
internal sealed class NpyReader : IDisposable
{
    // No deflated byte stands for more.
    private const long MaxRatio = 1032;
    private const int BlockBytes = 1 << 16;

    private readonly ZipArchiveEntry _entry;
    private readonly Stream _stream;
    private readonly byte[] _block = new byte[BlockBytes];

    /// <exception cref="InvalidDataException">The entry is damaged or no array; the message says why, as a part of a sentence.</exception>
    public NpyReader(ZipArchiveEntry entry, long fileLength)
    {
        if (entry.IsEncrypted)
        {
            throw new InvalidDataException("it is encrypted");
        }

        if (entry.CompressedLength < 0 || entry.CompressedLength > fileLength || entry.Length < 0 || entry.Length / MaxRatio > entry.CompressedLength)
        {
            throw new InvalidDataException($"it should have {entry.Length} bytes, out of {entry.CompressedLength} in a file of {fileLength}");
        }

        _entry = entry;
        _stream = entry.Open();
        try
        {
            Header = NpyHeader.Read(_stream);
            Count = Elements(Header, entry.Length - Header.Length);
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    /// <summary>What the array is.</summary>
    public NpyHeader Header { get; }

    /// <summary>The number of its elements.</summary>
    public long Count { get; }

    /// <summary>The elements of a floating type, row by row.</summary>
    public double[] Floats()
    {
        var size = Header.Kind == 'f' && Header.Size is 2 or 4 or 8 ? Header.Size : throw new InvalidDataException($"it is of type {Header.Type}; float16, float32 or float64 is needed");
        var values = new double[Count];
        var at = 0;
        ForEachBlock(block =>
        {
            for (; block.Length > 0; block = block[size..])
            {
                values[at++] = Float(block[..size]);
            }
        });
        return Header.Fortran && Header.Shape.Count == 2 ? Transposed(values, (int)Header.Shape[0], (int)Header.Shape[1]) : values;
    }

    /// <summary>The whole number that a single element is.</summary>
    public long Integer()
    {
        if (Header.Kind is not ('i' or 'u') || Header.Size is not (1 or 2 or 4 or 8) || Count != 1)
        {
            throw new InvalidDataException($"it is {Header.Type} [{string.Join(", ", Header.Shape)}]; a whole number is needed");
        }

        var bytes = Bytes();
        bytes = Header.BigEndian ? bytes : [.. bytes.Reverse()];
        var value = Header.Kind == 'i' && bytes[0] >= 0x80 ? -1L : 0L;
        foreach (var part in bytes)
        {
            value = (value << 8) | part;
        }

        return Header.Kind == 'u' && value < 0 ? throw new InvalidDataException("it is too large") : value;
    }

    /// <summary>The string that a single element is.</summary>
    public string Text()
    {
        if (Header.Kind != 'U' || Count != 1)
        {
            throw new InvalidDataException($"it is {Header.Type} [{string.Join(", ", Header.Shape)}]; a string is needed");
        }

        try
        {
            return new UTF32Encoding(Header.BigEndian, byteOrderMark: false, throwOnInvalidCharacters: true).GetString(Bytes()).TrimEnd('\0');
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException("it is no valid text", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>The number of elements, which are exactly the bytes behind the header.</summary>
    private static long Elements(NpyHeader header, long bytes)
    {
        var product = (UInt128)header.ElementSize;
        foreach (var size in header.Shape)
        {
            product = product > long.MaxValue ? product : product * (UInt128)size; // a size of 0 behind such a product is refused too
        }

        return header.ElementSize > 0 && product == (UInt128)Math.Max(0, bytes) && bytes >= 0
            ? bytes / header.ElementSize
            : throw new InvalidDataException($"an array {header.Type} [{string.Join(", ", header.Shape)}] has not the {bytes} bytes that it has");
    }

    private static double[] Transposed(double[] columns, int rows, int width)
    {
        var values = new double[columns.Length];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < width; j++)
            {
                values[(i * width) + j] = columns[(j * rows) + i];
            }
        }

        return values;
    }

    private double Float(ReadOnlySpan<byte> bytes) => (bytes.Length, Header.BigEndian) switch
    {
        (2, false) => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        (2, true) => (double)BinaryPrimitives.ReadHalfBigEndian(bytes),
        (4, false) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        (4, true) => BinaryPrimitives.ReadSingleBigEndian(bytes),
        (_, false) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        (_, true) => BinaryPrimitives.ReadDoubleBigEndian(bytes),
    };

    private byte[] Bytes()
    {
        using var all = new MemoryStream();
        ForEachBlock(block => all.Write(block));
        return all.ToArray();
    }

    /// <summary>Reads the elements to their end, which must be the entry's, and compares the check sum.</summary>
    private void ForEachBlock(BlockAction action)
    {
        for (var left = Count * Header.ElementSize; left > 0;)
        {
            var block = _block.AsSpan(0, (int)Math.Min(left, BlockBytes));
            _stream.ReadExactly(block);
            left -= block.Length;
            action(block);
        }

        if (_stream.ReadByte() >= 0)
        {
            throw new InvalidDataException("it has more bytes than it says");
        }

        if (Sum() != _entry.Crc32)
        {
            throw new InvalidDataException("its check sum is another one");
        }
    }

    private uint Sum()
    {
        using var again = _entry.Open();
        var sum = 0u;
        for (var read = again.Read(_block); read > 0; read = again.Read(_block))
        {
            sum = Crc32.Of(_block.AsSpan(0, read), sum);
        }

        return sum;
    }

    private delegate void BlockAction(ReadOnlySpan<byte> bytes);
}
