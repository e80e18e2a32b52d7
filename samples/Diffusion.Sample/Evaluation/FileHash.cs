using System.Security.Cryptography;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Short hashes that are the same on every system.</summary>
internal static class FileHash
{
    private const int Shown = 12;
    private const int BatchSize = 256;

    /// <summary>Of a file's bytes.</summary>
    public static string Of(string file)
    {
        using var stream = File.OpenRead(file);
        return Text(SHA256.HashData(stream));
    }

    /// <summary>Of text.</summary>
    public static string OfText(string text) => Text(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>Of the values of all images.</summary>
    public static string Of(IImageSource images, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in Enumerable.Range(0, images.Count).Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var batch = images.Read(part);
            using var values = batch.Images.contiguous();
            hash.AppendData(values.bytes);
        }

        return Text(hash.GetHashAndReset());
    }

    private static string Text(ReadOnlySpan<byte> hash) => Convert.ToHexStringLower(hash[..Shown]);
}
