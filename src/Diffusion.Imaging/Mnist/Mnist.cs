using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// The MNIST handwritten digits, or another data set in the same files (Fashion-MNIST, KMNIST): grey images with labels 0 to 9. Kept in
/// memory as bytes: 47 MB for the 60,000 training images.
/// </summary>
public sealed class Mnist : IImageSource
{
    private const int Digits = 10;
    private readonly Tensor _images; // [N, 1, H, W], uint8
    private readonly Tensor _labels; // [N], int64
    private bool _disposed;

    private Mnist(string name, IdxFile images, IdxFile labels, int count)
    {
        (Name, Count, Shape) = (name, count, new ImageShape(1, images.Dimensions[1], images.Dimensions[2]));
        var size = checked(count * Shape.Height * Shape.Width);
        using var scope = NewDisposeScope();
        _images = tensor(images.Values[..size].ToArray(), Shape.Batch(count), dtype: ScalarType.Byte).DetachFromDisposeScope();
        _labels = tensor(labels.Values[..count].ToArray(), dtype: ScalarType.Byte).to(ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public ImageShape Shape { get; }

    /// <summary>10: the digits.</summary>
    public int Classes => Digits;

    /// <summary>Reads and checks the two files of a split.</summary>
    /// <param name="folder">
    /// The folder with the files: train-images-idx3-ubyte and train-labels-idx1-ubyte, or t10k-… for the test split; also spelt with a
    /// dot (train-images.idx3-ubyte), with or without ".gz".
    /// </param>
    /// <param name="split">Which part of the data set.</param>
    /// <param name="limit">Keeps only the first images, at most this many, at least 1; by default all.</param>
    /// <returns>The images and labels, in the order of the files.</returns>
    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    /// <exception cref="FileNotFoundException">A file is not there; the message says which names were looked for.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or the two do not belong together; the message names them.</exception>
    public static Mnist Open(string folder, Split split, int? limit = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (limit < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(limit), limit, $"limit is {limit}; it must be at least 1, or null for all images.");
        }

        var images = MnistFiles.Read(folder, split, "images", "idx3");
        var labels = MnistFiles.Read(folder, split, "labels", "idx1");
        MnistFiles.Check(images, labels, Digits);
        return new Mnist($"{folder} ({split})", images, labels, Math.Min(limit ?? int.MaxValue, images.Dimensions[0]));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside [0, <see cref="Count"/>).</exception>
    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Guard.Indices(indices, Count, Name);
        using var scope = NewDisposeScope();
        var wanted = tensor(indices.ToArray(), dtype: ScalarType.Int64);
        var images = PixelTensor.ToFloat(_images.index_select(0, wanted));
        var labels = _labels.index_select(0, wanted);
        return new ImageBatch(images.DetachFromDisposeScope(), labels.DetachFromDisposeScope());
    }

    /// <summary>Frees the images. Batches that were read stay valid.</summary>
    public void Dispose()
    {
        _disposed = true;
        _images.Dispose();
        _labels.Dispose();
    }
}
