namespace Diffusion.Imaging;

/// <summary>
/// All files below a folder, without what is hidden or a system's. Links to folders elsewhere are followed, wherever and however often they are met. A link that leads to a folder on the way to it
/// would have no end, and one to another folder of the tree would give images two labels: both are errors.
/// </summary>
internal sealed class FolderTree
{
    private const int Deepest = 64; // a link that the system does not show as one (of a server, say) has no end, either
    private const int MaxPaths = 10_000; // 14 folders with two links each, both to the next, are as many paths

    private readonly string _root;
    private readonly string _real;
    private readonly Dictionary<string, string> _own = new(PathNames.Comparer); // relative paths without links, by real ones
    private readonly Dictionary<string, (string Path, int Times)> _linked = new(PathNames.Comparer); // the first of the relative paths with links, by real ones
    private readonly List<string> _way = []; // the real paths of the folders that are being read, each in the one before
    private readonly List<string> _files = [];
    private readonly List<string> _folders = [];

    /// <summary>What is neither among the files nor in a folder that was read.</summary>
    public LeftOut LeftOut { get; } = new();

    /// <summary>Reads a folder.</summary>
    /// <exception cref="InvalidDataException">A link leads upwards or to another folder of the tree, or Windows cannot open a folder by its name; the message names it.</exception>
    public FolderTree(string root)
    {
        (_root, _real) = (root, PathNames.Real(root));
        _own.Add(_real, ".");
        Read(root, "", _real, byLink: false);
        _files.Sort(StringComparer.Ordinal);
    }

    /// <summary>The paths of the files relative to the folder, with '/', in ordinal order.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>The names of the folders right in the folder, in ordinal order.</summary>
    public IReadOnlyList<string> Folders => _folders;

    /// <summary>Reads a folder of the tree.</summary>
    /// <param name="folder">As it is opened.</param>
    /// <param name="path">From the root, with '/' at its end.</param>
    /// <param name="real">Where it really lies.</param>
    /// <param name="byLink">Whether it is a link or lies in one.</param>
    private void Read(string folder, string path, string real, bool byLink)
    {
        if (_way.Count > Deepest)
        {
            throw new InvalidDataException($"{_root}: {path} lies more than {Deepest} folders deep. Is there a link that leads upwards?");
        }

        _way.Add(real);
        var entries = FolderEntries.Read(folder, LeftOut);
        _files.AddRange(entries.Files.Select(name => path + name));
        foreach (var (name, isLink) in entries.Folders)
        {
            if (OperatingSystem.IsWindows() && PortableName.Fault(name) is { } fault)
            {
                throw new InvalidDataException($"{_root}: '{path}{name}' {fault}. Rename it on the system that made it.");
            }

            if (path.Length == 0)
            {
                _folders.Add(name);
            }

            var child = Path.Combine(folder, name);
            var place = isLink ? PathNames.Real(Path.Combine(real, name)) : Path.Combine(real, name);
            if (byLink || isLink)
            {
                Follow(place, path + name);
            }
            else
            {
                Enter(place, path + name);
            }

            Read(child, $"{path}{name}/", place, byLink || isLink);
        }

        _way.RemoveAt(_way.Count - 1);
    }

    /// <summary>Marks a folder that is no link and lies in none. On a system that tells names apart by case, there may be another that this one does not know from it.</summary>
    private void Enter(string real, string path)
    {
        if (_linked.TryGetValue(real, out var before))
        {
            throw ReadTwice(before.Path, path);
        }

        _own.TryAdd(real, path);
    }

    /// <summary>Marks a folder that is a link or lies in one.</summary>
    private void Follow(string real, string path)
    {
        if (PathNames.IsIn(_real, real) || _way.Contains(real, PathNames.Comparer))
        {
            throw new InvalidDataException($"{_root}: {path} leads by a link to {real}, in which it lies itself. Remove the link: its images would be read again and again.");
        }

        if (_own.TryGetValue(real, out var own))
        {
            throw ReadTwice(own, path);
        }

        var (first, times) = _linked.GetValueOrDefault(real, (path, 0));
        _linked[real] = times < MaxPaths
            ? (first, times + 1)
            : throw new InvalidDataException($"{_root}: {first} and {path} are two of more than {MaxPaths} paths by links to {real}. Are there several links in each of several folders?");
    }

    private InvalidDataException ReadTwice(string one, string other) =>
        new($"{_root}: {one} and {other} are the same folder, for there is a link. Remove it: the images would be read twice.");
}
