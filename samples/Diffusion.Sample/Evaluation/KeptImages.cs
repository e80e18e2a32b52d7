using System.Globalization;
using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>A folder of PNGs: the images that were measured, by class where they have one.</summary>
internal sealed class KeptImages
{
    private readonly string _folder;
    private IReadOnlyDictionary<string, string>? _classFolders;

    /// <exception cref="UsageException">The folder has something in it already.</exception>
    public KeptImages(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
        {
            throw new UsageException($"--keep: '{folder}' must be a new or an empty folder.");
        }

        OutputFolder.ThrowIfUnusable(folder, "--keep");
        _folder = folder;
    }

    /// <summary>Writes a batch.</summary>
    /// <param name="first">The number of its first image.</param>
    /// <param name="images">[B, C, H, W] in [−1, 1].</param>
    /// <param name="classes">The class of each of all images, not only of the batch.</param>
    public void Write(int first, Tensor images, string?[] classes)
    {
        _classFolders ??= ClassFolders.Of(classes.OfType<string>());
        for (var i = 0; i < images.shape[0]; i++)
        {
            using var image = images[i];
            var folder = classes[first + i] is { } name ? Path.Combine(_folder, _classFolders[name]) : _folder;
            ImageFile.Save(Path.Combine(folder, (first + i).ToString("000000", CultureInfo.InvariantCulture) + ".png"), image);
        }
    }
}
