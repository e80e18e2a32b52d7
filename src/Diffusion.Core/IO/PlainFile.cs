namespace Diffusion;

/// <summary>Files of a disk, and none of the other things that Linux and macOS give names in folders: a named pipe is waited for without end, a device has none, and neither is to be replaced.</summary>
internal static class PlainFile
{
    // What the caller has opened already and names by its number may be a pipe.
    private static readonly string[] s_opened = ["/dev/stdin", "/dev/fd/", "/proc/self/fd/"];

    /// <summary>What a file is that is not a plain one, links followed; <see langword="null"/> for a plain one, a folder, and where there is none or the system does not say.</summary>
    public static string? OtherKind(string path) => OperatingSystem.IsWindows() ? null : UnixFiles.TypeOf(path) switch
    {
        0x1000 => "a named pipe",
        0x2000 or 0x6000 => "a device",
        0xC000 => "a socket",
        _ => null,
    };

    /// <summary>Opens a file to be read from its beginning to its end.</summary>
    /// <exception cref="InvalidDataException">It is not a plain file; the message names it.</exception>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static FileStream OpenRead(string path)
    {
        ThrowIfOther(path);
        return File.OpenRead(path);
    }

    /// <summary>Reads a text file.</summary>
    /// <inheritdoc cref="OpenRead"/>
    public static string ReadText(string path)
    {
        ThrowIfOther(path);
        return File.ReadAllText(path);
    }

    /// <summary>Whether a name stands for what the process has opened already, which may be a pipe.</summary>
    public static bool IsOpened(string path) => !OperatingSystem.IsWindows() && Array.Exists(s_opened, opened => path.StartsWith(opened, StringComparison.Ordinal));

    /// <summary>For those that open it themselves.</summary>
    /// <exception cref="InvalidDataException">It is not a plain file; the message names it.</exception>
    public static void ThrowIfOther(string path)
    {
        if (!IsOpened(path) && OtherKind(path) is { } kind)
        {
            throw new InvalidDataException($"'{path}' is {kind}; a file is needed.");
        }
    }
}
