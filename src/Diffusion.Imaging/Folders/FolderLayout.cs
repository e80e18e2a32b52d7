namespace Diffusion.Imaging;

/// <summary>Which images a folder holds, in which order, and of which class.</summary>
/// <param name="Files">The paths relative to the folder, with '/', in ordinal order.</param>
/// <param name="ClassNames">The subfolders in ordinal order; empty where the images have no labels.</param>
/// <param name="Labels">The class of every file; empty where the images have no labels.</param>
/// <param name="LeftOut">What the folder holds beside them.</param>
internal sealed record FolderLayout(string[] Files, string[] ClassNames, long[] Labels, LeftOut LeftOut)
{
    public static FolderLayout Scan(string folder, IReadOnlyCollection<string> extensions, bool labels)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The image folder {folder} does not exist.");
        }

        var tree = new FolderTree(folder);
        var images = tree.LeftOut.Images(tree.Files, extensions);
        if (OperatingSystem.IsWindows() && Array.Find(images, file => PortableName.Fault(Path.GetFileName(file)) is not null) is { } wrong)
        {
            throw new InvalidDataException($"{folder}: '{wrong}' {PortableName.Fault(Path.GetFileName(wrong))}. Rename it on the system that made it.");
        }

        if (!labels)
        {
            return images.Length > 0 ? new FolderLayout(images, [], [], tree.LeftOut) : throw Empty(folder, extensions, tree);
        }

        string[] direct = [.. images.Where(file => !file.Contains('/', StringComparison.Ordinal))], subfolders = [.. tree.Folders];
        var ofClass = images.Where(file => file.Contains('/', StringComparison.Ordinal)).ToLookup(file => file[..file.IndexOf('/', StringComparison.Ordinal)], StringComparer.Ordinal);
        var perClass = Array.ConvertAll(subfolders, name => ofClass[name].ToArray());
        var inClasses = perClass.Sum(files => files.Length);
        if (direct.Length + inClasses == 0)
        {
            throw Empty(folder, extensions, tree);
        }

        if (inClasses == 0)
        {
            return new FolderLayout(direct, [], [], tree.LeftOut);
        }

        if (direct.Length > 0)
        {
            throw new InvalidDataException(
                $"{folder} holds {direct.Length} images directly ({direct[0]}, for example) "
                + $"and {inClasses} in subfolders ({perClass.First(files => files.Length > 0)[0]}, for example). "
                + "Either all images lie in subfolders, which are the classes, or all lie in the folder itself and have no labels; read without labels (Labels = false, \"labels\": false in a configuration's data.folder), they may lie in both.");
        }

        var empty = subfolders.Where((_, i) => perClass[i].Length == 0).ToArray();
        if (empty.Length > 0)
        {
            throw new InvalidDataException($"{folder}: every subfolder is a class, but there are no images in {string.Join(", ", empty.Select(name => Others(folder, name, extensions)))}.");
        }

        var labelled = perClass.SelectMany((files, label) => files.Select(file => (File: file, Label: (long)label)))
            .OrderBy(pair => pair.File, StringComparer.Ordinal).ToArray();
        return new FolderLayout(Array.ConvertAll(labelled, pair => pair.File), subfolders, Array.ConvertAll(labelled, pair => pair.Label), tree.LeftOut);
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

    /// <summary>A folder without images, and what it holds instead.</summary>
    private static string Others(string folder, string name, IReadOnlyCollection<string> extensions)
    {
        var tree = new FolderTree(Path.Combine(folder, name));
        tree.LeftOut.Images(tree.Files, extensions);
        return tree.LeftOut.Counts is { Length: > 0 } counts ? $"{name} ({LeftOut.Listed(counts)})" : name;
    }

    private static InvalidDataException Empty(string folder, IReadOnlyCollection<string> extensions, FolderTree tree)
    {
        var others = LeftOut.Listed(tree.LeftOut.Counts);
        return new($"{folder} holds no images: files with one of the extensions {string.Join(", ", extensions)} are needed.{(others.Length > 0 ? $" It has others: {others}." : "")}");
    }
}
