using System.IO.Enumeration;

namespace Diffusion.Imaging;

/// <summary>What lies right in a folder, without what is hidden or a system's.</summary>
/// <param name="Files">The names of the files, in ordinal order.</param>
/// <param name="Folders">The names of the folders, in ordinal order, and whether each is a link.</param>
internal sealed record FolderEntries(IReadOnlyList<string> Files, IReadOnlyList<(string Name, bool IsLink)> Folders)
{
    private static readonly EnumerationOptions s_all = new() { IgnoreInaccessible = false, AttributesToSkip = 0 };

    /// <summary>Reads a folder; what is left out is counted.</summary>
    public static FolderEntries Read(string folder, LeftOut leftOut)
    {
        var (files, folders) = (new List<string>(), new List<(string Name, bool IsLink)>());
        foreach (var (name, isFolder, attributes) in new FileSystemEnumerable<(string, bool, FileAttributes)>(
            folder, (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory, entry.Attributes), s_all))
        {
            if (isFolder ? SystemNames.IsFolder(name) : SystemNames.File(name) is not null)
            {
                leftOut.OfASystem(name, isFolder);
            }
            else if (name.StartsWith('.') || (attributes & (FileAttributes.Hidden | FileAttributes.System)) != 0)
            {
                leftOut.Hidden(isFolder);
            }
            else if (isFolder)
            {
                folders.Add((name, attributes.HasFlag(FileAttributes.ReparsePoint)));
            }
            else
            {
                files.Add(name);
            }
        }

        files.Sort(StringComparer.Ordinal);
        return new FolderEntries(files, [.. folders.OrderBy(entry => entry.Name, StringComparer.Ordinal)]);
    }
}
