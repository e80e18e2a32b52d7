namespace Diffusion;

/// <summary>When two paths are the same.</summary>
internal static class PathNames
{
    /// <summary>Compares whole paths as the system does by default: with case on Linux, without on Windows and macOS.</summary>
    public static StringComparer Comparer { get; } = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;

    /// <summary>The whole path of a folder, without a separator at its end.</summary>
    public static string Whole(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <summary>A path without links: where a folder really lies.</summary>
    /// <param name="folder">A folder that exists.</param>
    public static string Real(string folder)
    {
        var full = Whole(folder);
        if (Path.GetDirectoryName(full) is not { } above)
        {
            return full; // a root
        }

        var real = Path.Combine(Real(above), Path.GetFileName(full));
        try
        {
            return Directory.ResolveLinkTarget(real, returnFinalTarget: true) is { } target ? Real(target.FullName) : real;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return real; // a folder above it that may not be read
        }
    }

    /// <summary>Whether a folder lies in another one, or is it.</summary>
    /// <param name="folder">A path as <see cref="Real"/> gives it.</param>
    /// <param name="other">Another such path.</param>
    public static bool IsIn(string folder, string other)
    {
        for (var above = folder; above is not null; above = Path.GetDirectoryName(above))
        {
            if (Comparer.Equals(above, other))
            {
                return true;
            }
        }

        return false;
    }
}
