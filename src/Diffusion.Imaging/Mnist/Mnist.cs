using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// The MNIST handwritten digits, or another data set in the same files (Fashion-MNIST, KMNIST): grey images with labels 0 to 9. Kept in
/// memory as bytes, read once: 47 MB for the 60,000 training images.
/// </summary>
public sealed class Mnist : IImageSource
{
    private const int Digits = 10;
    private readonly long[] _labels;
    private readonly Lazy<string> _hash;
    private IdxFile? _images; // null when disposed

    private Mnist(string name, IdxFile images, IdxFile labels, int count)
    {
        (Name, Count, Shape) = (name, count, new ImageShape(1, images.Dimensions[1], images.Dimensions[2]));
        _images = images;
        _hash = new Lazy<string>(() => Fingerprints.Of(Pixels(Count)));
        _labels = [.. labels.Values[..count].ToArray().Select(label => (long)label)];
        Labels = Array.AsReadOnly(_labels);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public ImageShape Shape { get; }

    /// <summary>10: the digits.</summary>
    public int Classes => Digits;

    /// <summary>"0" to "9", also where the files have other things than digits.</summary>
    public IReadOnlyList<string> ClassNames { get; } = Array.AsReadOnly(Enumerable.Range(0, Digits).Select(label => label.ToString(CultureInfo.InvariantCulture)).ToArray());

    /// <inheritdoc/>
    public IReadOnlyList<long> Labels { get; }

    /// <summary>A hash of the pixels, the same for compressed and for unpacked files.</summary>
    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    public IReadOnlyDictionary<string, string> Fingerprint => new Dictionary<string, string> { ["pixels"] = _hash.Value };

    /// <summary>Whether the images of a split are there, not whether they are whole.</summary>
    /// <param name="folder">The folder, as for <see cref="Open"/>.</param>
    /// <param name="split">Which part of the data set.</param>
    /// <returns>Whether there is a file of that name.</returns>
    public static bool Exists(string folder, Split split)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return MnistFiles.Find(folder, split, "images", "idx3") is not null;
    }

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
        ObjectDisposedException.ThrowIf(_images is null, this);
        Guard.Indices(indices, Count, Name);
        var size = Shape.Height * Shape.Width;
        var pixels = new byte[checked(indices.Length * size)];
        var labels = new long[indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            _images.Values.Slice(indices[i] * size, size).CopyTo(pixels.AsSpan(i * size));
            labels[i] = _labels[indices[i]];
        }

        return new ImageBatch(PixelTensor.ToFloat(pixels, Shape.Batch(indices.Length)), tensor(labels).DetachFromDisposeScope());
    }

    /// <summary>Frees the images. Batches that were read stay valid.</summary>
    public void Dispose() => _images = null;

    /// <summary>Of the first images.</summary>
    private ReadOnlySpan<byte> Pixels(int images)
    {
        ObjectDisposedException.ThrowIf(_images is null, this);
        return _images.Values[..(images * Shape.Height * Shape.Width)];
    }
}
