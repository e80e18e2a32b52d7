using System.IO.Enumeration;

namespace Diffusion.Imaging;

/// <summary>
/// All files below a folder. Hidden ones are left out, and folders that other systems keep for themselves. Links to folders are followed, but no folder is read twice: a link that leads upwards would have no
/// end, and one to a folder beside it would give images two labels.
/// </summary>
internal sealed class FolderTree
{
    private const int Deepest = 64; // a link that the system does not show as one (of a server, say) has no end, either

    private static readonly EnumerationOptions s_all = new() { IgnoreInaccessible = false, AttributesToSkip = 0 };

    /// <summary>What archives, network drives and file systems leave behind.</summary>
    private static readonly HashSet<string> s_ofOthers = new(["__MACOSX", "@eaDir", "#recycle", "lost+found", "$RECYCLE.BIN", "System Volume Information"], StringComparer.OrdinalIgnoreCase);

    private readonly string _root;
    private readonly string _real;
    private readonly Dictionary<string, (string Path, bool ByLink)> _read = new(PathNames.Comparer); // relative paths by real ones
    private readonly List<string> _files = [];
    private readonly List<string> _folders = [];

    /// <summary>What is neither among the files nor in a folder that was read.</summary>
    public LeftOut LeftOut { get; } = new();

    /// <summary>Reads a folder.</summary>
    /// <exception cref="InvalidDataException">A folder would be read twice, or Windows cannot open one by its name; the message names it.</exception>
    public FolderTree(string root)
    {
        (_root, _real) = (root, PathNames.Real(root));
        _read.Add(_real, (".", false));
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
        if (path.AsSpan().Count('/') > Deepest)
        {
            throw new InvalidDataException($"{_root}: {path} lies more than {Deepest} folders deep. Is there a link that leads upwards?");
        }

        var folders = new SortedDictionary<string, bool>(StringComparer.Ordinal); // whether it is a link
        foreach (var (name, isFolder, attributes) in new FileSystemEnumerable<(string, bool, FileAttributes)>(
            folder, (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory, entry.Attributes), s_all))
        {
            if (isFolder && s_ofOthers.Contains(name))
            {
                LeftOut.OfASystem(name);
            }
            else if (name.StartsWith('.') || (attributes & (FileAttributes.Hidden | FileAttributes.System)) != 0)
            {
                LeftOut.Hidden(isFolder);
            }
            else if (!isFolder)
            {
                _files.Add(path + name);
            }
            else
            {
                folders.Add(name, attributes.HasFlag(FileAttributes.ReparsePoint));
            }
        }

        foreach (var (name, isLink) in folders)
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
            var place = isLink ? PathNames.Real(child) : Path.Combine(real, name);
            Enter(place, path + name, byLink || isLink);
            Read(child, $"{path}{name}/", place, byLink || isLink);
        }
    }

    /// <summary>Marks a folder as read.</summary>
    private void Enter(string real, string path, bool byLink)
    {
        if (PathNames.IsIn(_real, real))
        {
            throw new InvalidDataException($"{_root}: {path} is a link to {real}, in which it lies itself. Remove the link: its images would be read again and again.");
        }

        // Without a link two paths that are the same but for case are two folders, of a system that tells them apart.
        if (!_read.TryAdd(real, (path, byLink)) && (byLink || _read[real].ByLink))
        {
            throw new InvalidDataException($"{_root}: {_read[real].Path} and {path} are the same folder, for there is a link. Remove it: the images would be read twice.");
        }
    }
}
