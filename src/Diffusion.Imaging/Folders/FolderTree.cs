namespace Diffusion.Imaging;

/// <summary>
/// All files below a folder. Hidden ones are left out, and folders that other systems keep for themselves. Links to folders are followed, but no folder is read twice: a link that leads upwards would have no
/// end, and one to a folder beside it would give images two labels.
/// </summary>
internal sealed class FolderTree
{
    private const int Deepest = 64; // a link that the system does not show as one (of a server, say) has no end, either

    private static readonly EnumerationOptions s_visible = new() { IgnoreInaccessible = false, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };

    /// <summary>What archives, network drives and file systems leave behind.</summary>
    private static readonly HashSet<string> s_ofOthers = new(["__MACOSX", "@eaDir", "#recycle", "lost+found", "$RECYCLE.BIN", "System Volume Information"], StringComparer.OrdinalIgnoreCase);

    private readonly string _root;
    private readonly string _real;
    private readonly Dictionary<string, string> _read = new(PathNames.Comparer); // relative paths by real ones
    private readonly List<string> _files = [];
    private readonly List<string> _folders = [];

    /// <summary>Reads a folder.</summary>
    /// <exception cref="InvalidDataException">A folder would be read twice, or Windows cannot open something by its name; the message names it.</exception>
    public FolderTree(string root)
    {
        (_root, _real) = (root, PathNames.Real(root));
        _read.Add(_real, ".");
        Read(new DirectoryInfo(root), "", _real);
        _files.Sort(StringComparer.Ordinal);
    }

    /// <summary>The paths of the files relative to the folder, with '/', in ordinal order.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>The names of the folders right in the folder, in ordinal order.</summary>
    public IReadOnlyList<string> Folders => _folders;

    private void Read(DirectoryInfo folder, string path, string real)
    {
        if (path.AsSpan().Count('/') > Deepest)
        {
            throw new InvalidDataException($"{_root}: {path} lies more than {Deepest} folders deep. Is there a link that leads upwards?");
        }

        foreach (var entry in folder.GetFileSystemInfos("*", s_visible).Where(entry => !entry.Name.StartsWith('.')).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var name = path + entry.Name;
            if (OperatingSystem.IsWindows() && PortableName.Fault(entry.Name) is { } fault)
            {
                throw new InvalidDataException($"{_root}: '{name}' {fault}. Rename it on the system that made it.");
            }

            if (entry is not DirectoryInfo child)
            {
                _files.Add(name);
            }
            else if (!s_ofOthers.Contains(entry.Name))
            {
                if (path.Length == 0)
                {
                    _folders.Add(name);
                }

                Read(child, name + "/", Place(child, name, real));
            }
        }
    }

    /// <summary>Where a folder really lies.</summary>
    private string Place(DirectoryInfo folder, string path, string realParent)
    {
        var isLink = folder.Attributes.HasFlag(FileAttributes.ReparsePoint) && folder.LinkTarget is not null;
        var real = isLink ? PathNames.Real(folder.FullName) : Path.Combine(realParent, folder.Name);
        if (PathNames.IsIn(_real, real))
        {
            throw new InvalidDataException($"{_root}: {path} is a link to {real}, in which it lies itself. Remove the link: its images would be read again and again.");
        }

        return _read.TryAdd(real, path)
            ? real
            : throw new InvalidDataException($"{_root}: {_read[real]} and {path} are the same folder, for there is a link. Remove it: the images would be read twice.");
    }
}
