using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Diffusion;

/// <summary>Short hashes that are the same on every system.</summary>
internal static class Fingerprints
{
    private const int HashBytes = 12;
    private const int NumbersAtOnce = 1024;

    /// <summary>Of bytes.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Text(SHA256.HashData(bytes));

    /// <summary>Of all bytes of a file, which is read from its beginning.</summary>
    public static string OfFile(Stream file)
    {
        file.Position = 0;
        return Text(SHA256.HashData(file));
    }

    /// <summary>Of numbers, in their order.</summary>
    public static string Of(IEnumerable<long> numbers)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = new byte[NumbersAtOnce * sizeof(long)];
        foreach (var chunk in numbers.Chunk(NumbersAtOnce))
        {
            for (var i = 0; i < chunk.Length; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), chunk[i]);
            }

            hash.AppendData(bytes.AsSpan(0, chunk.Length * sizeof(long)));
        }

        return Text(hash.GetHashAndReset());
    }

    /// <summary>Of names, in their order; those that <see cref="Plain"/> makes equal are.</summary>
    public static string Of(IEnumerable<string> names)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in names)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Plain(name)));
            hash.AppendData([0]); // no name has it
        }

        return Text(hash.GetHashAndReset());
    }

    /// <summary>A name as JSON and UTF-8 keep it: Windows has names that are no Unicode.</summary>
    public static string Plain(string? name) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name ?? ""));

    private static string Text(ReadOnlySpan<byte> hash) => Convert.ToHexStringLower(hash[..HashBytes]);
}
