using System.Globalization;
using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>A folder of PNGs: the images that were measured, by class where they have one.</summary>
internal sealed class KeptImages
{
    private readonly string _folder;

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
        for (var i = 0; i < images.shape[0]; i++)
        {
            using var image = images[i];
            var folder = classes[first + i] is { } name ? Path.Combine(_folder, FolderOf(name)) : _folder;
            ImageFile.Save(Path.Combine(folder, (first + i).ToString("000000", CultureInfo.InvariantCulture) + ".png"), image);
        }
    }

    /// <summary>A class's name as every system takes it for a folder's.</summary>
    private static string FolderOf(string name) => name.Length > 0 && name.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-' or '_')
        ? name
        : "class-" + Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(name));
}
