namespace Diffusion.Imaging;

/// <summary>Which images a folder holds, in which order, and of which class.</summary>
/// <param name="Files">The paths relative to the folder, with '/', in ordinal order.</param>
/// <param name="ClassNames">The subfolders in ordinal order; empty where the images have no labels.</param>
/// <param name="Labels">The class of every file; empty where the images have no labels.</param>
internal sealed record FolderLayout(string[] Files, string[] ClassNames, long[] Labels)
{
    /// <summary>What archives made by other systems leave behind.</summary>
    private static readonly string[] s_ignoredFolders = ["__MACOSX"];

    public static FolderLayout Scan(string folder, IReadOnlyCollection<string> extensions, FolderLabels labels)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The image folder {folder} does not exist.");
        }

        if (labels == FolderLabels.None)
        {
            var all = Images(folder, extensions, recurse: true).Where(file => !s_ignoredFolders.Contains(file.Split('/')[0])).ToArray();
            return all.Length > 0 ? new FolderLayout(all, [], []) : throw Empty(folder, extensions);
        }

        var direct = Images(folder, extensions, recurse: false);
        var subfolders = Directory.EnumerateDirectories(folder, "*", Options(recurse: false)).Select(path => Path.GetFileName(path)!)
            .Where(name => !name.StartsWith('.'))
            .Except(s_ignoredFolders, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var perClass = Array.ConvertAll(subfolders, name => Images(Path.Combine(folder, name), extensions, recurse: true)
            .Select(file => $"{name}/{file}").ToArray());
        var inClasses = perClass.Sum(files => files.Length);
        if (direct.Length + inClasses == 0)
        {
            throw Empty(folder, extensions);
        }

        if (inClasses == 0)
        {
            return new FolderLayout(direct, [], []);
        }

        if (direct.Length > 0)
        {
            throw new InvalidDataException(
                $"{folder} holds {direct.Length} images directly ({direct[0]}, for example) "
                + $"and {inClasses} in subfolders ({perClass.First(files => files.Length > 0)[0]}, for example). "
                + "Either all images lie in subfolders, which are the classes, or all lie in the folder itself and have no labels.");
        }

        var empty = subfolders.Where((_, i) => perClass[i].Length == 0).ToArray();
        if (empty.Length > 0)
        {
            throw new InvalidDataException($"{folder}: every subfolder is a class, but there are no images in {string.Join(", ", empty)}.");
        }

        var labelled = perClass.SelectMany((files, label) => files.Select(file => (File: file, Label: (long)label)))
            .OrderBy(pair => pair.File, StringComparer.Ordinal).ToArray();
        return new FolderLayout(Array.ConvertAll(labelled, pair => pair.File), subfolders, Array.ConvertAll(labelled, pair => pair.Label));
    }

    /// <summary>The files that could be read. The classes stay as they are, and each must keep an image.</summary>
    public FolderLayout Keep(int[] indices, string folder)
    {
        var labels = Labels.Length == 0 ? [] : Array.ConvertAll(indices, i => Labels[i]);
        var emptied = ClassNames.Where((_, label) => !labels.Contains(label)).ToArray();
        return emptied.Length == 0
            ? this with { Files = Array.ConvertAll(indices, i => Files[i]), Labels = labels }
            : throw new InvalidDataException($"{folder}: every subfolder is a class, but no image can be read in {string.Join(", ", emptied)}.");
    }

    private static InvalidDataException Empty(string folder, IReadOnlyCollection<string> extensions) =>
        new($"{folder} holds no images: files with one of the extensions {string.Join(", ", extensions)} are needed.");

    private static string[] Images(string folder, IReadOnlyCollection<string> extensions, bool recurse)
        => [.. Directory.EnumerateFiles(folder, "*", Options(recurse))
            .Where(path => extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part.StartsWith('.')))
            .Order(StringComparer.Ordinal)];

    /// <summary>Hidden files and folders are left out; what may not be read is an error.</summary>
    private static EnumerationOptions Options(bool recurse) => new()
    {
        RecurseSubdirectories = recurse,
        IgnoreInaccessible = false,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
    };
}
