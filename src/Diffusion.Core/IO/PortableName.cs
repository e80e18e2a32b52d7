using System.Buffers;

namespace Diffusion;

/// <summary>Names of files that every system takes as they are. Windows opens a device for <c>NUL</c> or <c>con.txt</c>, and drops dots and spaces at the end of a name.</summary>
/// <remarks>Microsoft, Naming Files, Paths, and Namespaces.</remarks>
internal static class PortableName
{
    private static readonly SearchValues<char> s_notInNames = SearchValues.Create([.. "<>:\"/\\|?*", .. Enumerable.Range(0, ' ').Select(number => (char)number)]);

    private static readonly HashSet<string> s_devices = new(
        [
            "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
            .. "0123456789¹²³".SelectMany(number => new[] { $"COM{number}", $"LPT{number}" }),
        ], StringComparer.OrdinalIgnoreCase);

    /// <summary>Why Windows does not take a name of a file or folder as it is.</summary>
    /// <param name="name">The name, without its folder.</param>
    /// <returns>The end of a sentence that begins with the name; <see langword="null"/> where it does.</returns>
    public static string? Fault(string name)
    {
        var at = name.AsSpan().IndexOfAny(s_notInNames);
        return at >= 0 ? $"has the character {(name[at] < ' ' ? $"U+{(int)name[at]:X4}" : name[at])}"
            : name.Length == 0 ? "is empty"
            : name[^1] is '.' or ' ' ? "ends with a dot or a space, which Windows drops"
            : s_devices.Contains(name.Split('.')[0].TrimEnd(' ')) ? "is the name of a device on Windows"
            : null;
    }

    /// <summary>Refuses a path that Windows does not take as it is, there.</summary>
    /// <exception cref="IOException">It does not; the message names the part.</exception>
    public static void ThrowOnWindows(string path)
    {
        if (OperatingSystem.IsWindows() && FaultIn(path) is var (name, fault))
        {
            throw new IOException($"'{path}' cannot be written: '{name}' {fault}.");
        }
    }

    /// <summary>The first part of a path that Windows does not take as it is.</summary>
    /// <param name="path">A path of Windows, which may begin with a drive, a server's name or <c>\\?\</c>.</param>
    /// <returns>The part and its fault; <see langword="null"/> where there is none.</returns>
    public static (string Name, string Fault)? FaultIn(string path)
    {
        var withoutPrefix = path.StartsWith(@"\\?\", StringComparison.Ordinal) ? path[4..] : path;
        var hasDrive = withoutPrefix.Length >= 2 && withoutPrefix[1] == ':' && char.IsAsciiLetter(withoutPrefix[0]); // C:\name, or C:name, which is in the drive's current folder
        foreach (var name in (hasDrive ? withoutPrefix[2..] : withoutPrefix).Split('/', '\\'))
        {
            if (name is not ("" or "." or "..") && Fault(name) is { } fault)
            {
                return (name, fault);
            }
        }

        return null;
    }
}
