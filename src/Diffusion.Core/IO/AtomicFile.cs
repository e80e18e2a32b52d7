namespace Diffusion;

/// <summary>Writes files that are whole or absent: to a temporary file beside the target, flushed to disk, then renamed over it.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file. If anything fails, what was at <paramref name="path"/> before is still there, unchanged.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="write">Writes the content; the stream can seek.</param>
    /// <exception cref="IOException">The folder cannot be written to, or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (IsTooLarge(e))
            {
                throw new IOException($"'{full}' would be larger than a file can be here.", e);
            }

            throw;
        }
    }

    /// <summary>What .NET throws where the file system, or a limit of the process, allows no file of the size: not an <see cref="IOException"/>.</summary>
    private static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException { ParamName: "value", TargetSite.DeclaringType: var type } && type == typeof(RandomAccess);

    /// <summary>Writes a text file as UTF-8.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="text">The content.</param>
    /// <exception cref="IOException">The folder cannot be written to, or the disk is full.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
