namespace Diffusion.Imaging;

/// <summary>Opens image files, and only files: a named pipe would be waited for without end, a device has none.</summary>
internal static class ImagePath
{
    /// <summary>What a pipe, a socket and a device share with an empty file: their length is 0.</summary>
    public const string NoBytes = "not a PNG or another image, or cut off in its first bytes: it is empty, or a pipe, a socket or a device";

    /// <summary>Opens a file. What the caller has opened already and names by its number (/dev/fd/3) may be a pipe.</summary>
    /// <exception cref="InvalidDataException">It has no bytes.</exception>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static FileStream OpenRead(string path)
    {
        if (PlainFile.IsOpened(path))
        {
            return File.OpenRead(path);
        }

        return new FileInfo(IsLink(path) ? PathNames.Real(path) : path) is { Exists: true, Length: 0 }
            ? throw new InvalidDataException(NoBytes)
            : File.OpenRead(path);
    }

    private static bool IsLink(string path) => File.Exists(path) && File.GetAttributes(path).HasFlag(FileAttributes.ReparsePoint);
}
