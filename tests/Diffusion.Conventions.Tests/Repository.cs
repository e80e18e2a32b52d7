using System.Reflection;

namespace Diffusion.Conventions.Tests;

/// <summary>Where the sources and the libraries are.</summary>
internal static class Repository
{
    // Folders that .gitignore leaves out: what builds, tests and programs wrote.
    private static readonly HashSet<string> s_written = ["bin", "obj", "out", "feed", "artifacts", "TestResults", "BenchmarkDotNet.Artifacts", ".vs", ".idea", ".git"];

    /// <summary>The folder of the solution, above the folder that the tests run in.</summary>
    public static string Root { get; } = Above(AppContext.BaseDirectory);

    /// <summary>The libraries that the conventions hold for, in the order of their dependencies.</summary>
    public static IReadOnlyList<Assembly> Libraries { get; } =
        [.. new[] { "Diffusion.Core", "Diffusion.Kernels", "Diffusion.Models", "Diffusion.Imaging", "Diffusion.Imaging.ImageSharp", "Diffusion.Observers", "Diffusion.Evaluation", "Diffusion.Configuration" }.Select(Assembly.Load)];

    /// <summary>The one namespace of a library.</summary>
    public static string NamespaceOf(string library) => library == "Diffusion.Core" ? "Diffusion" : library;

    /// <summary>The C# files below a folder of the repository, without what a build wrote there.</summary>
    public static IReadOnlyList<SourceFile> Sources(string folder) => [.. Files(folder, "*.cs").Select(SourceFile.Read)];

    /// <summary>Files below a folder of the repository, without what a build wrote there.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(Root, file).Split(Path.DirectorySeparatorChar).Any(s_written.Contains))
            .Order(StringComparer.Ordinal);

    /// <summary>Whether there is a file or folder of that path from the root, with slashes; upper and lower case are different on every system.</summary>
    public static bool Has(string path)
    {
        var folder = Root;
        foreach (var part in path.Split('/').Where(part => part.Length > 0))
        {
            if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any(entry => Path.GetFileName(entry) == part))
            {
                return false;
            }

            folder = Path.Combine(folder, part);
        }

        return true;
    }

    private static string Above(string folder) =>
        File.Exists(Path.Combine(folder, "Diffusion.sln")) ? folder : Above(Path.GetDirectoryName(folder)!);
}
