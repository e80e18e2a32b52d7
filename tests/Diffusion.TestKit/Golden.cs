namespace Diffusion;

/// <summary>The recorded cases of other implementations under tests/golden; its README says what they hold.</summary>
public static class Golden
{
    private const string RepositoryMark = "Diffusion.sln";

    /// <summary>The folder tests/golden of this repository.</summary>
    public static string Folder { get; } = Path.Combine(FindRepository(), "tests", "golden");

    /// <summary>Reads a case.</summary>
    /// <param name="name">Area and case, for example <c>explainingai/unet_L1</c>.</param>
    /// <returns>The case; the caller disposes it.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such case.</exception>
    public static GoldenCase Case(string name)
    {
        var folder = Path.Combine(Folder, name);
        return Directory.Exists(folder)
            ? new GoldenCase(name, folder)
            : throw new DirectoryNotFoundException($"There is no recorded case '{name}' in '{Folder}'.");
    }

    /// <summary>The names of all cases of an area, in ordinal order.</summary>
    /// <param name="area">For example <c>explainingai</c>.</param>
    public static IReadOnlyList<string> Cases(string area) =>
        [.. Directory.EnumerateDirectories(Path.Combine(Folder, area)).Select(folder => $"{area}/{Path.GetFileName(folder)}").Order(StringComparer.Ordinal)];

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, RepositoryMark)))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above '{AppContext.BaseDirectory}' holds {RepositoryMark}; the tests run inside the repository.");
    }
}
