namespace Diffusion.Imaging;

/// <summary>Counts what a folder holds beside its images, by what it is.</summary>
internal sealed class LeftOut
{
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>The counts, the largest first and equal ones in ordinal order.</summary>
    public (string What, int Count)[] Counts => [.. _counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];

    public void Hidden(bool folder) => Add(folder ? "hidden folders" : "hidden files");

    /// <summary>A folder that a system keeps for itself.</summary>
    public void OfASystem(string folder) => Add($"folders {folder}");

    /// <summary>A file that is no image by its name.</summary>
    public void Other(string file) => Add(Path.GetExtension(file) is { Length: > 1 } extension ? extension.ToLowerInvariant() : "without an extension");

    /// <summary>Images that cannot be read.</summary>
    public void Unreadable(int count) => Add("that cannot be read", count);

    private void Add(string what, int count = 1)
    {
        if (count > 0)
        {
            _counts[what] = _counts.GetValueOrDefault(what) + count;
        }
    }
}
