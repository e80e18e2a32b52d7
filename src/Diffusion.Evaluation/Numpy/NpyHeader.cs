using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Diffusion.Evaluation;

/// <summary>What an array of NumPy is: its type, its shape, and the order of its elements.</summary>
/// <param name="Kind">The letter of the type: <c>f</c>, <c>i</c>, <c>u</c>, <c>U</c>.</param>
/// <param name="Size">The number behind it: bytes of an element, letters of a string.</param>
/// <param name="BigEndian">Whether the bytes of an element are the other way round.</param>
/// <param name="Fortran">Whether columns lie behind each other, not rows.</param>
/// <param name="Shape">Its sizes; none for a single element.</param>
/// <param name="Length">The bytes before the elements.</param>
/// <remarks>The format: numpy.lib.format, versions 1.0 to 3.0.</remarks>
internal sealed record NpyHeader(char Kind, int Size, bool BigEndian, bool Fortran, IReadOnlyList<long> Shape, int Length)
{
    private const int MaxLength = 1 << 16;
    private const int Alignment = 64;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>The bytes of an element.</summary>
    public int ElementSize => Kind == 'U' ? 4 * Size : Size;

    /// <summary>The type as NumPy writes it.</summary>
    public string Type => string.Create(CultureInfo.InvariantCulture, $"{(BigEndian ? '>' : '<')}{Kind}{Size}");

    /// <summary>Whether bytes are the beginning of an array by itself.</summary>
    public static bool IsStart(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Magic);

    /// <summary>Reads a header.</summary>
    /// <param name="stream">At its beginning.</param>
    /// <exception cref="InvalidDataException">It is none; the message says why, as a part of a sentence.</exception>
    /// <exception cref="EndOfStreamException">It is cut off.</exception>
    public static NpyHeader Read(Stream stream)
    {
        Span<byte> start = stackalloc byte[12];
        stream.ReadExactly(start[..8]);
        if (!IsStart(start))
        {
            throw new InvalidDataException("it does not begin as an array of NumPy does");
        }

        var version = start[6];
        if (version is < 1 or > 3)
        {
            throw new InvalidDataException($"it has version {version} of NumPy's format; 1 to 3 are known");
        }

        var size = version == 1 ? 2 : 4;
        stream.ReadExactly(start.Slice(8, size));
        var length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (length > MaxLength)
        {
            throw new InvalidDataException($"its header should have {length} bytes, and {MaxLength} are the most");
        }

        var text = new byte[length];
        stream.ReadExactly(text);
        return Parse((version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(text), 8 + size + (int)length);
    }

    /// <summary>The bytes of a header of version 1.0, as NumPy writes it.</summary>
    /// <param name="type">Such as <c>&lt;f8</c>.</param>
    /// <param name="shape">The sizes.</param>
    public static byte[] Write(string type, params ReadOnlySpan<long> shape)
    {
        var sizes = shape.Length == 1 ? $"{shape[0]}," : string.Join(", ", shape.ToArray());
        var text = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({sizes}), }}";
        var whole = (10 + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        var bytes = new byte[whole];
        Magic.CopyTo(bytes);
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(whole - 10));
        Encoding.Latin1.GetBytes(text.PadRight(whole - 11) + "\n", bytes.AsSpan(10));
        return bytes;
    }

    private static NpyHeader Parse(string text, int length)
    {
        var literal = new PythonLiteral(text);
        string? type = null;
        bool? fortran = null;
        IReadOnlyList<long>? shape = null;
        literal.Expect('{');
        while (!literal.TryTake('}'))
        {
            var key = literal.String();
            literal.Expect(':');
            switch (key)
            {
                case "descr" when type is null:
                    type = literal.TryPeek('[') ? throw new InvalidDataException("its elements have several fields") : literal.String();
                    break;
                case "fortran_order" when fortran is null:
                    fortran = literal.Boolean();
                    break;
                case "shape" when shape is null:
                    shape = literal.Tuple();
                    break;
                default:
                    throw new InvalidDataException($"its header has an entry '{key}' that does not belong there, or twice");
            }

            if (!literal.TryTake(','))
            {
                literal.Expect('}');
                break;
            }
        }

        literal.ExpectEnd();
        return type is null || fortran is null || shape is null
            ? throw new InvalidDataException("its header lacks 'descr', 'fortran_order' or 'shape'")
            : Of(type, fortran.Value, shape, length);
    }

    private static NpyHeader Of(string type, bool fortran, IReadOnlyList<long> shape, int length)
    {
        if (type.Contains('O', StringComparison.Ordinal))
        {
            throw new InvalidDataException("it holds objects of Python, which are not read: they can run code");
        }

        var order = type.Length > 0 ? type[0] : ' ';
        return type.Length >= 3 && order is '<' or '>' or '|' or '=' && int.TryParse(type.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size <= 1 << 24
            ? new(type[1], size, order == '>', fortran, shape, length)
            : throw new InvalidDataException($"its type '{type}' is not known");
    }
}
