using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// Small images of textures: square crops of random size and place out of a few photographs, resized without aliasing, mirrored and turned by
/// quarter turns, all eight equally likely. The label is the photograph. Image <i>i</i> is a function of the split, the seed and <i>i</i>
/// alone; it is of photograph <i>i</i> mod the number of photographs, so every class has as many images.
/// </summary>
/// <remarks>
/// The bottom quarter of each photograph is kept for testing: no pixel of it has a share in an image to train on. The photographs are kept in
/// memory as bytes; the images are cut when they are read.
/// </remarks>
public sealed class TextureCrops : IImageSource
{
    private const int TrainImages = 30_000;
    private const int TestImages = 3_000;
    private const int Symmetries = 8;

    private readonly TextureCropOptions _options;
    private readonly Split _split;
    private PixelImage[] _photographs; // of each, the part of the split

    private TextureCrops(string folder, Split split, TextureCropOptions options, string[] files, LeftOut leftOut)
    {
        (Name, _options, _split) = ($"{folder} ({split})", options, split);
        _photographs = Array.ConvertAll(files, file => TexturePhotograph.Load(file, split, options));
        Count = options.Count ?? (split == Split.Train ? TrainImages : TestImages);
        LeftOut = Array.AsReadOnly(leftOut.Counts);
        var identities = Array.ConvertAll(files, TexturePhotograph.Identify);
        Fingerprint = new Dictionary<string, string>
        {
            ["file names"] = Fingerprints.Of(files.Select(file => Path.GetFileName(file))),
            ["file sizes"] = Fingerprints.Of(identities.Select(file => file.Length)),
            ["file contents"] = Fingerprints.Of(identities.Select(file => file.Content)),
            ["crops"] = string.Create(CultureInfo.InvariantCulture, $"{split} {options.SmallestCrop}-{options.LargestCrop} seed {options.Seed}"),
        };
        var stems = files.CountBy(file => Path.GetFileNameWithoutExtension(file), StringComparer.OrdinalIgnoreCase).ToDictionary(StringComparer.OrdinalIgnoreCase);
        ClassNames = Array.AsReadOnly(Array.ConvertAll(files, file => Path.GetFileNameWithoutExtension(file) is var stem && stems[stem] == 1 ? stem : Path.GetFileName(file)));
        Labels = Array.AsReadOnly(Enumerable.Range(0, Count).Select(i => (long)(i % files.Length)).ToArray());
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public ImageShape Shape => new(_options.Channels, _options.Size, _options.Size);

    /// <summary>The number of photographs.</summary>
    public int Classes => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<long> Labels { get; }

    /// <summary>The names of the photographs' files without extension, by label, in ordinal order; with it where several have one name.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>
    /// What lies in the folder beside the photographs, as <see cref="ImageFolder.LeftOut"/> counts it, the largest number first; and "subfolders", whose files are not counted. Empty where there is
    /// nothing.
    /// </summary>
    public IReadOnlyList<(string What, int Count)> LeftOut { get; }

    /// <summary>Hashes of the names, sizes and bytes of the photographs' files; and which crops are cut out of them.</summary>
    public IReadOnlyDictionary<string, string> Fingerprint { get; }

    /// <summary>Reads the photographs that lie in a folder, not those in subfolders.</summary>
    /// <param name="folder">The folder. Files with other extensions than the codec's and hidden files are left out, and counted (<see cref="LeftOut"/>).</param>
    /// <param name="split">The top three quarters of every photograph to train on, or the bottom quarter to test.</param>
    /// <param name="options">The size of the images and of the crops, and more; by default 28×28 grey from 48 to 128 pixels.</param>
    /// <returns>The images.</returns>
    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    /// <exception cref="InvalidDataException">There are no photographs, one cannot be decoded, or one is too small for the largest crop; the message names it.</exception>
    /// <exception cref="ArgumentException">An option is outside its range; the message names all that are.</exception>
    public static TextureCrops Open(string folder, Split split, TextureCropOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Guard.Split(split, nameof(split));
        options ??= new TextureCropOptions();
        options.ThrowIfInvalid();
        var leftOut = new LeftOut();
        return new TextureCrops(folder, split, options, TexturePhotograph.Find(folder, options.Codec.Extensions, leftOut), leftOut);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside [0, <see cref="Count"/>).</exception>
    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        ObjectDisposedException.ThrowIf(_photographs.Length == 0, this);
        Guard.Indices(indices, Count, Name);
        var size = Shape.Channels * Shape.Height * Shape.Width;
        var pixels = new byte[checked(indices.Length * size)];
        var labels = new long[indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            labels[i] = Labels[indices[i]];
            Cut(indices[i], pixels.AsSpan(i * size, size));
        }

        return new ImageBatch(PixelTensor.ToFloat(pixels, Shape.Batch(indices.Length)), tensor(labels).DetachFromDisposeScope());
    }

    /// <summary>Frees the photographs. Batches that were read stay valid.</summary>
    public void Dispose() => _photographs = [];

    private void Cut(int index, Span<byte> result)
    {
        var random = new SeededRandom(_options.Seed, _split == Split.Train ? index : ~index);
        var photograph = _photographs[Labels[index]];
        var side = _options.SmallestCrop + random.Next(_options.LargestCrop - _options.SmallestCrop + 1);
        var (left, top) = (random.Next(photograph.Width - side + 1), random.Next(photograph.Height - side + 1));
        var crop = Resampler.ResizePart(photograph, left, top, side, side, _options.Size, _options.Size);
        Turn(crop, random.Next(Symmetries), result);
    }

    /// <summary>One of the eight symmetries of a square; [S, S, C] → [C, S, S].</summary>
    private static void Turn(PixelImage image, int symmetry, Span<byte> result)
    {
        var (size, channels, last) = (image.Width, image.Channels, image.Width - 1);
        var pixels = image.Pixels;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var (column, row) = (symmetry & 1, symmetry & 2) switch
                {
                    (0, 0) => (x, y),
                    (1, 0) => (last - x, y),
                    (0, _) => (x, last - y),
                    _ => (last - x, last - y),
                };
                var from = ((symmetry & 4) == 0 ? (row * size) + column : (column * size) + row) * channels;
                for (var c = 0; c < channels; c++)
                {
                    result[(((c * size) + y) * size) + x] = pixels[from + c];
                }
            }
        }
    }
}
