using System.Buffers.Binary;
using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A folder of data sets of random pixels in 28×28: IDX files as MNIST's, and PNG files.</summary>
internal sealed class DataFiles : IDisposable
{
    private const int Side = 28;
    private readonly TemporaryFolder _folder = new();

    public DataFiles(int count)
    {
        using var images = new RandomImages(new ImageShape(1, Side, Side), count);
        using var scope = NewDisposeScope();
        var bytes = ((images.All + 1) * 127.5).to(ScalarType.Byte).contiguous().bytes.ToArray();
        _folder.Write("train-images-idx3-ubyte", [.. Header(3, count, Side, Side), .. bytes]);
        _folder.Write("train-labels-idx1-ubyte", [.. Header(1, count), .. new byte[count]]);
        Directory.CreateDirectory(Pictures);
        for (var i = 0; i < count; i++)
        {
            ImageFile.Save(Path.Combine(Pictures, $"{i:d5}.png"), images.All[i]);
        }
    }

    /// <summary>The folder with the IDX files.</summary>
    public string Idx => Path.GetDirectoryName(Pictures)!;

    /// <summary>The folder with the PNG files.</summary>
    public string Pictures => _folder.File("png");

    public void Dispose() => _folder.Dispose();

    private static byte[] Header(byte dimensions, params int[] lengths)
    {
        var header = new byte[4 + (4 * lengths.Length)];
        (header[2], header[3]) = (8, dimensions); // unsigned bytes
        for (var i = 0; i < lengths.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + (4 * i)), lengths[i]);
        }

        return header;
    }
}
