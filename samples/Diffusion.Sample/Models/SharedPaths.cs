using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>What files that are passed on say of paths: of what lies below the current folder the way to it, and else its name alone, for where folders of a machine lie is nobody's business.</summary>
internal static class SharedPaths
{
    // The name of a folder of images that has none, such as that of a whole disk.
    private const string Unnamed = "images";

    /// <summary>A configuration without the paths of this machine.</summary>
    /// <param name="options">The configuration, with whole paths.</param>
    /// <param name="folder">The folder of the file that it will be in, from which its paths are read.</param>
    public static RunOptions Of(RunOptions options, string folder) => options with
    {
        Data = options.Data with
        {
            Path = From(options.Data.Path, folder),
            Folder = options.Data.Folder with { ValidationPath = options.Data.Folder.ValidationPath is { } kept ? From(kept, folder) : null },
        },
        Training = options.Training with { Checkpoints = options.Training.Checkpoints with { Folder = null } },
    };

    /// <summary>A path for a report, which is not read from it again. Of what comes with the app it is the way from the app's folder, so that it is the same for everybody.</summary>
    public static string Name(string path) =>
        Way(AppContext.BaseDirectory, path) ?? Way(Directory.GetCurrentDirectory(), path) ?? LastName(path);

    /// <summary>The way from a folder, where the path is there and both lie below the current folder, as in a repository; otherwise its name.</summary>
    private static string From(string path, string folder) =>
        Directory.Exists(path) && IsBelow(Directory.GetCurrentDirectory(), path) && IsBelow(Directory.GetCurrentDirectory(), folder) ? Portable(Path.GetRelativePath(folder, path)) : LastName(path);

    private static string? Way(string folder, string path) =>
        IsBelow(folder, path) && Path.GetRelativePath(folder, path) is var way && way != "." ? Portable(Path.TrimEndingDirectorySeparator(way)) : null;

    private static bool IsBelow(string folder, string path) =>
        Path.GetRelativePath(folder, path) is var way && !Path.IsPathRooted(way) && way != ".." && !way.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static string Portable(string way) => way.Replace(Path.DirectorySeparatorChar, '/');

    private static string LastName(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))) is { Length: > 0 } name ? name : Unnamed;
}
