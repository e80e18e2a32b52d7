using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// The images of a folder, brought to one shape. Every subfolder is a class, in ordinal order of their names, and its images lie in it at
/// any depth; or all images lie in the folder itself and have no labels. The order of the images is the ordinal order of their relative
/// paths. Files with other extensions, hidden files and what systems put beside them are left out, and counted (<see cref="LeftOut"/>). Links to files and to folders elsewhere are followed.
/// </summary>
public sealed class ImageFolder : IImageSource
{
    private readonly ImageFolderOptions _options;
    private readonly FolderFile[] _files;
    private readonly long[] _labels;
    private byte[][] _cache; // the first images, each [C, H, W]
    private bool _disposed;

    private ImageFolder(string folder, ImageFolderOptions options, FolderLayout layout, DecodedFiles decoded)
    {
        (Name, _options, _labels) = (folder, options, layout.Labels);
        (RelativePaths, ClassNames) = (Array.AsReadOnly(layout.Files), Array.AsReadOnly(layout.ClassNames));
        (_files, _cache, SkippedFiles) = (decoded.Files, decoded.Cache, Array.AsReadOnly(decoded.Bad));
        layout.LeftOut.Unreadable(decoded.Bad.Length);
        LeftOut = Array.AsReadOnly(layout.LeftOut.Counts);
        Labels = Classes == 0 ? null : Array.AsReadOnly(_labels);
        Fingerprint = new Dictionary<string, string>
        {
            ["file names"] = Fingerprints.Of(RelativePaths),
            ["file sizes"] = Fingerprints.Of(_files.Select(file => file.Length)),
            ["file contents"] = Fingerprints.Of(_files.Select(file => file.Content)),
        };
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count => _files.Length;

    /// <inheritdoc/>
    public ImageShape Shape => new(_options.Channels, _options.Height, _options.Width);

    /// <inheritdoc/>
    public int Classes => ClassNames.Count;

    /// <summary>The name of every class (its subfolder), by label; empty where the images have no labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public IReadOnlyList<long>? Labels { get; }

    /// <summary>
    /// Hashes of the <see cref="RelativePaths"/>, and of the sizes and the bytes of the files, as they were when the folder was opened. A folder may be moved to another place or system, and an image be
    /// a link; an image that is added, renamed or replaced makes it another folder.
    /// </summary>
    public IReadOnlyDictionary<string, string> Fingerprint { get; }

    /// <summary>
    /// What could not be read when the folder was opened, in ordinal order; empty where everything could. Only <see cref="ImageFolderOptions.SkipCorrupt"/>
    /// leaves such files out; what is no image by its name is in <see cref="LeftOut"/>.
    /// </summary>
    public IReadOnlyList<(string Path, string Reason)> SkippedFiles { get; }

    /// <summary>
    /// How many files and folders of the folder were left out, by what they are, the largest number first; empty where everything is an image. A file is named by its extension, in lower case with
    /// the dot (".heic"), or else "without an extension"; further there are "hidden files", "hidden folders", "folders NAME" (@eaDir and what else systems keep for themselves, whose files are not
    /// counted), "files NAME" (Thumbs.db and the like), and "that cannot be read" (<see cref="SkippedFiles"/>).
    /// </summary>
    public IReadOnlyList<(string What, int Count)> LeftOut { get; }

    /// <summary>The path of every image relative to the folder, by index, with '/' between its parts.</summary>
    public IReadOnlyList<string> RelativePaths { get; }

    /// <summary>The classes that <see cref="Open"/> would find, without decoding any image.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">What the images are; by default as for <see cref="Open"/>.</param>
    /// <returns>The subfolders in ordinal order; empty where the images have no labels.</returns>
    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    /// <exception cref="InvalidDataException">There are no images, or some beside some in subfolders, or a link to a folder leads upwards or to another folder of this one.</exception>
    /// <exception cref="ArgumentException">An option is outside its range; the message names all that are.</exception>
    public static IReadOnlyList<string> FindClasses(string folder, ImageFolderOptions? options = null) =>
        Array.AsReadOnly(Scan(folder, options ?? new ImageFolderOptions()).ClassNames);

    /// <summary>
    /// Opens a folder and decodes all its images once, on all processors, so that a bad file shows now and not in an hour. The bytes
    /// stay in memory as far as <see cref="ImageFolderOptions.MemoryLimit"/> goes.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">The shape to bring the images to, and more; by default 64×64 RGB.</param>
    /// <returns>The images.</returns>
    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    /// <exception cref="InvalidDataException">
    /// There are no images, or some beside some in subfolders, or a link to a folder leads upwards or to another folder of this one, or some images cannot be decoded; the message names them (the first 20) and why.
    /// With <see cref="ImageFolderOptions.SkipCorrupt"/>: none can be decoded, or none of a class.
    /// </exception>
    /// <exception cref="ArgumentException">An option is outside its range; the message names all that are.</exception>
    public static ImageFolder Open(string folder, ImageFolderOptions? options = null)
    {
        options ??= new ImageFolderOptions();
        var layout = Scan(folder, options);
        var decoded = DecodedFiles.Read(folder, layout.Files, options);
        return new ImageFolder(folder, options, decoded.Bad.Length == 0 ? layout : layout.Keep(decoded.Good, folder), decoded);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside [0, <see cref="Count"/>).</exception>
    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Guard.Indices(indices, Count, Name);
        var wanted = indices.ToArray();
        var size = Shape.Channels * Shape.Height * Shape.Width;
        var bytes = new byte[checked(wanted.Length * size)];
        var errors = DecodedFiles.InParallel(wanted.Length, i =>
        {
            var image = wanted[i] < _cache.Length ? _cache[wanted[i]] : _files[wanted[i]].ReadAgain(_options);
            image.CopyTo(bytes, i * size);
        });
        if (Array.Find(errors, error => error is not null) is { } first)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        var images = PixelTensor.ToFloat(bytes, Shape.Batch(wanted.Length));
        return new ImageBatch(images, Classes == 0 ? null : tensor(Array.ConvertAll(wanted, i => _labels[i])).DetachFromDisposeScope());
    }

    /// <summary>Frees the images. Batches that were read stay valid.</summary>
    public void Dispose()
    {
        _disposed = true;
        _cache = [];
    }

    private static FolderLayout Scan(string folder, ImageFolderOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options.ThrowIfInvalid();
        return FolderLayout.Scan(folder, options.Codec.Extensions, options.Labels);
    }
}
