namespace Diffusion;

/// <summary>Writes files that are whole or absent: to a temporary file beside the target, flushed to disk, then renamed over it; the folder is flushed last.</summary>
internal static class AtomicFile
{
    private const int Shown = 40; // letters of the name of a file that its temporary one has

    /// <summary>Writes a file. If anything fails before the new one is in place, what was at <paramref name="path"/> before is still there, unchanged. If only the folder cannot be flushed then, the new file is there, whole, and may be lost with the power.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="write">Writes the content; the stream can seek.</param>
    /// <exception cref="IOException">The folder cannot be written to, the disk is full, or another process has the file open for more than five seconds (on Windows, where such a file cannot be replaced).</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        PortableName.ThrowOnWindows(path);
        var full = Path.GetFullPath(path);
        if (Path.GetFileName(full).Length == 0 || Directory.Exists(full))
        {
            throw new IOException($"'{path}' is a folder; the name of a file is needed.");
        }

        if (PlainFile.OtherKind(full) is { } kind)
        {
            throw new IOException($"'{path}' is {kind}, which is not replaced; the name of a file is needed.");
        }

        var folder = Path.GetDirectoryName(full)!;
        DurableFolder.Create(folder);
        var temporary = TemporaryFor(full);
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            SharingViolation.Wait(full, () => File.Move(temporary, full, overwrite: true));
            DurableFolder.Flush(folder);
        }
        catch (Exception e)
        {
            TryDelete(temporary);
            if (IsTooLarge(e))
            {
                throw new IOException($"'{full}' would be larger than a file can be here.", e);
            }

            throw;
        }
    }

    /// <summary>A name beside a file that no other has.</summary>
    /// <param name="full">The whole path of the file.</param>
    internal static string TemporaryFor(string full) => Path.Combine(Path.GetDirectoryName(full)!, $".{Beginning(Path.GetFileName(full))}.{Guid.NewGuid():N}.tmp");

    /// <summary>Deletes a file, if it can be.</summary>
    internal static void TryDelete(string file)
    {
        try
        {
            SharingViolation.Wait(file, () => File.Delete(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // it is left: what failed before is said, not this
        }
    }

    /// <summary>So much of a name that the temporary one is not too long where the name itself is not: 255 bytes are allowed, and a letter has up to 4.</summary>
    private static string Beginning(string name) => name.Length <= Shown ? name : name[..(char.IsHighSurrogate(name[Shown - 1]) ? Shown - 1 : Shown)];

    /// <summary>What .NET throws where the file system, or a limit of the process, allows no file of the size: not an <see cref="IOException"/>.</summary>
    private static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException { ParamName: "value", TargetSite.DeclaringType: var type } && type == typeof(RandomAccess);

    /// <summary>Writes a text file as UTF-8.</summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="text">The content.</param>
    /// <exception cref="IOException">The folder cannot be written to, or the disk is full.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
