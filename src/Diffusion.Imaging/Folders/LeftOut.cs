namespace Diffusion.Imaging;

/// <summary>Counts what a folder holds beside its images, by what it is.</summary>
internal sealed class LeftOut
{
    private const int MaxListed = 10;

    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>The counts, the largest first and equal ones in ordinal order.</summary>
    public (string What, int Count)[] Counts => [.. _counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];

    /// <summary>The first counts as a text: <c>2 .heic, 1 hidden files</c>.</summary>
    public static string Listed(IReadOnlyList<(string What, int Count)> counts) => string.Join(", ", counts.Take(MaxListed).Select(each => $"{each.Count} {each.What}"));

    /// <summary>The files with the extensions; the others are counted.</summary>
    public string[] Images(IEnumerable<string> files, IReadOnlyCollection<string> extensions)
    {
        var images = files.ToLookup(file => extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase));
        foreach (var file in images[false])
        {
            Other(file);
        }

        return [.. images[true]];
    }

    public void Hidden(bool folder) => Add(folder ? "hidden folders" : "hidden files");

    /// <summary>A file or folder that a system keeps for itself.</summary>
    public void OfASystem(string name, bool folder) => Add(folder ? $"folders {name}" : $"files {SystemNames.File(name)}");

    /// <summary>Folders whose files are not looked for.</summary>
    public void Subfolders(int count) => Add("subfolders", count);

    /// <summary>Images that cannot be read.</summary>
    public void Unreadable(int count) => Add("that cannot be read", count);

    /// <summary>A file that is no image by its name.</summary>
    private void Other(string file) => Add(Path.GetExtension(file) is { Length: > 1 } extension ? extension.ToLowerInvariant() : "without an extension");

    private void Add(string what, int count = 1)
    {
        if (count > 0)
        {
            _counts[what] = _counts.GetValueOrDefault(what) + count;
        }
    }
}
