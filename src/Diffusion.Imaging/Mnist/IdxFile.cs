using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;

namespace Diffusion.Imaging;

/// <summary>
/// An IDX file of unsigned bytes, the format of MNIST: two zero bytes, the type, the number of dimensions, each dimension as a
/// big-endian 32-bit number, then the values, the last dimension fastest. Compressed with gzip (one member) or
/// not: the content tells, not the name.
/// </summary>
internal sealed class IdxFile
{
    private const byte UnsignedByte = 0x08;

    /// <summary>No gzip file unpacks to more than this many times its size (a limit of the deflate format).</summary>
    private const int LargestGzipRatio = 1032;

    private readonly byte[] _values;

    private IdxFile(string path, int[] dimensions, byte[] values)
        => (Path, Dimensions, _values) = (path, Array.AsReadOnly(dimensions), values);

    /// <summary>The file it was read from.</summary>
    public string Path { get; }

    /// <summary>The dimensions, the first one the number of items; at least one, each at least 0.</summary>
    public IReadOnlyList<int> Dimensions { get; }

    /// <summary>The values: as many as the product of the dimensions.</summary>
    public ReadOnlySpan<byte> Values => _values;

    /// <summary>Reads a file whole and checks that it holds what it declares, no less and no more.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The dimensions and values.</returns>
    /// <exception cref="InvalidDataException">It is not an IDX file of unsigned bytes, or it is truncated, damaged or too long.</exception>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static IdxFile Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var file = PlainFile.OpenRead(path);
        var gzip = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        using var stream = gzip ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        var dimensions = ReadDimensions(stream, path);
        var size = dimensions.Aggregate(BigInteger.One, (product, dimension) => product * dimension);
        var declared = $"{path}: declares {string.Join("×", dimensions)} = {size} bytes";
        var headerSize = 4 + (4 * dimensions.Length);
        var max = gzip ? file.Length * LargestGzipRatio : file.Length - headerSize;
        if (size > max)
        {
            throw new InvalidDataException(gzip
                ? $"{declared}; a gzip file of {file.Length} bytes cannot hold so many."
                : $"{declared}; the file holds {max} after its header, so it is truncated or its header is wrong.");
        }

        if (size > Array.MaxLength)
        {
            throw new InvalidDataException($"{declared}, more than the {Array.MaxLength} that are read into memory.");
        }

        var values = new byte[(int)size];
        var found = Fill(stream, values, path);
        if (found < values.Length)
        {
            throw new InvalidDataException(
                $"{declared}; the file holds {found} after its header, so it is truncated or its header is wrong.");
        }

        if (Fill(stream, new byte[1], path) > 0)
        {
            throw new InvalidDataException(
                $"{declared}; the file holds more after them, so it is not one IDX file or its header is wrong.");
        }

        if (gzip)
        {
            CheckGzipEnd(file, path, (uint)(headerSize + values.Length));
        }

        return new IdxFile(path, dimensions, values);
    }

    private static int[] ReadDimensions(Stream stream, string path)
    {
        var magic = new byte[4];
        if (Fill(stream, magic, path) < magic.Length)
        {
            throw new InvalidDataException($"{path}: is empty or ends in the first 4 bytes; an IDX file is needed.");
        }

        if (magic[0] != 0 || magic[1] != 0)
        {
            throw new InvalidDataException($"{path}: begins with {Convert.ToHexString(magic)}; an IDX file begins with two zero bytes.");
        }

        if (magic[2] != UnsignedByte || magic[3] == 0)
        {
            throw new InvalidDataException(
                $"{path}: begins with {Convert.ToHexString(magic)}, type 0x{magic[2]:X2} and {magic[3]} dimensions; "
                + "type 0x08 (unsigned byte) and at least 1 dimension are needed.");
        }

        var header = new byte[4 * magic[3]];
        var found = Fill(stream, header, path);
        if (found < header.Length)
        {
            throw new InvalidDataException(
                $"{path}: ends in the header, after {4 + found} bytes; {magic[3]} dimensions need {4 + header.Length}.");
        }

        var dimensions = new int[magic[3]];
        for (var i = 0; i < dimensions.Length; i++)
        {
            var dimension = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 * i));
            dimensions[i] = dimension <= int.MaxValue
                ? (int)dimension
                : throw new InvalidDataException($"{path}: declares {dimension} for dimension {i}; at most {int.MaxValue} is read.");
        }

        return dimensions;
    }

    /// <summary>
    /// A gzip file ends with a checksum and the size of its content. <see cref="GZipStream"/> verifies the checksum if it is there, but
    /// takes a file that ends before it for whole; the size at the very end tells that it is there.
    /// </summary>
    private static void CheckGzipEnd(FileStream file, string path, uint size)
    {
        var end = new byte[4];
        file.Position = file.Length - end.Length;
        file.ReadExactly(end);
        var stated = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (stated != size)
        {
            throw new InvalidDataException(
                $"{path}: the gzip data is truncated or is followed by other data: it ends with the size {stated}, its content has "
                + $"{size} bytes.");
        }
    }

    /// <summary>Reads until the buffer is full or the data ends, and says how much that was.</summary>
    private static int Fill(Stream stream, byte[] buffer, string path)
    {
        try
        {
            return stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: the gzip data is truncated or damaged ({e.Message}).", e);
        }
    }
}
