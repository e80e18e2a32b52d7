using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>Where results go.</summary>
internal static class OutputFolder
{
    /// <summary>Finds out before any work whether a folder can be written to, or made.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="UsageException">There is a file of this name.</exception>
    /// <exception cref="IOException">It cannot; the message names the option and the folder.</exception>
    public static void ThrowIfUnusable(string folder, string option = "--out")
    {
        if (File.Exists(folder))
        {
            throw new UsageException($"{option}: '{folder}' is a file, and a folder is needed.");
        }

        var existing = folder;
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { Length: > 0 } parent)
        {
            existing = parent;
        }

        try
        {
            using var probe = File.Create(Path.Combine(existing, $".{Guid.NewGuid():N}.tmp"), 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{option}: results cannot be written to '{folder}': {e.Message} Choose another folder.", e);
        }
    }

    /// <summary>Refuses, before any work, a folder among the images of a run, which would train on its own results the next time.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="data">The images.</param>
    /// <param name="option">The option that names the folder.</param>
    /// <exception cref="UsageException">It is the folder of the images, or lies in it.</exception>
    public static void ThrowIfAmongImages(string folder, DataOptions data, string option = "--out")
    {
        if (data.Kind == DataKind.Mnist) // four files with names of their own
        {
            return;
        }

        foreach (var images in (string?[])[data.Path, data.Folder.ValidationPath])
        {
            if (images is not (null or "") && RealPaths.IsIn(folder, images))
            {
                throw new UsageException($"{option}: '{folder}' is or lies in '{images}', the folder of the run's images, and what is written there would be read as images the next time. Choose a folder outside it.");
            }
        }
    }
}
