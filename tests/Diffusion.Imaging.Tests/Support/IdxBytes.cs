using System.Buffers.Binary;
using System.IO.Compression;

namespace Diffusion.Imaging.Tests;

public static class IdxBytes
{
    public static byte[] Of(byte[] values, params uint[] dimensions)
    {
        var bytes = new List<byte> { 0, 0, 8, (byte)dimensions.Length };
        var number = new byte[4];
        foreach (var dimension in dimensions)
        {
            BinaryPrimitives.WriteUInt32BigEndian(number, dimension);
            bytes.AddRange(number);
        }

        return [.. bytes, .. values];
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return stream.ToArray();
    }

    /// <summary>12 images of 3×2, pixel j of image i is 20·i + j, label i mod 10.</summary>
    public static byte[] Images { get; } = Of(
        [.. from i in Enumerable.Range(0, 12) from j in Enumerable.Range(0, 6) select (byte)((20 * i) + j)], 12, 3, 2);

    public static byte[] Labels { get; } = Of([.. Enumerable.Range(0, 12).Select(i => (byte)(i % 10))], 12);
}
