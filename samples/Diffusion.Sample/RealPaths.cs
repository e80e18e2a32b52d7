namespace Diffusion.Sample;

/// <summary>Compares paths by where they lead, past all links in them.</summary>
internal static class RealPaths
{
    private static readonly StringComparison s_names = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>Whether a path is a folder itself or lies in it.</summary>
    public static bool IsIn(string path, string folder)
    {
        var (inner, outer) = (Of(path), Of(folder));
        return inner.Equals(outer, s_names) || inner.StartsWith(Path.EndsInDirectorySeparator(outer) ? outer : outer + Path.DirectorySeparatorChar, s_names);
    }

    /// <summary>Whether two paths lead to one file or folder.</summary>
    public static bool AreSame(string one, string other) => Of(one).Equals(Of(other), s_names);

    /// <summary>Where a path leads; what does not exist lies where it would be made.</summary>
    private static string Of(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent)
        {
            return full;
        }

        var here = Path.Combine(Of(parent), Path.GetFileName(full));
        FileSystemInfo? entry = Directory.Exists(here) ? new DirectoryInfo(here) : File.Exists(here) ? new FileInfo(here) : null;
        return entry?.ResolveLinkTarget(returnFinalTarget: true) is { } target ? Of(target.FullName) : here;
    }
}
