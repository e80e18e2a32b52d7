namespace Diffusion.Imaging;

/// <summary>Finds and loads the photographs that textures are cut out of.</summary>
internal static class TexturePhotograph
{
    /// <summary>The files right in a folder; all else is counted.</summary>
    public static string[] Find(string folder, IReadOnlyCollection<string> extensions, LeftOut leftOut)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"The folder {folder} with the photographs does not exist.");
        }

        var entries = FolderEntries.Read(folder, leftOut);
        leftOut.Subfolders(entries.Folders.Count);
        var names = leftOut.Images(entries.Files, extensions);
        var others = LeftOut.Listed(leftOut.Counts);
        return names.Length > 0
            ? Array.ConvertAll(names, name => Path.Combine(folder, name))
            : throw new InvalidDataException($"{folder} holds no photographs: files with one of the extensions {string.Join(", ", extensions)} are needed.{(others.Length > 0 ? $" It has others: {others}." : "")}");
    }

    /// <summary>The size of a file and a hash of its bytes; of a link, those of what it leads to.</summary>
    public static (long Length, string Content) Identify(string path)
    {
        using var stream = ImagePath.OpenRead(path);
        return (stream.Length, Fingerprints.OfFile(stream));
    }

    /// <summary>The part of a photograph that belongs to the split, as an image of its own: what is cut out of it sees no pixel of the other part.</summary>
    public static PixelImage Load(string path, Split split, TextureCropOptions options)
    {
        var whole = ImageFile.Load(path, options.Codec).WithChannels(options.Channels);
        var boundary = whole.Height * 3L / 4;
        var (first, end) = split == Split.Train ? (0, (int)boundary) : ((int)boundary, whole.Height);
        if (Math.Min(whole.Width, end - first) < options.LargestCrop)
        {
            var part = split == Split.Train ? "top three quarters have" : "bottom quarter has";
            throw new InvalidDataException($"{path}: its {part} {whole.Width}×{end - first} pixels; crops of {nameof(options.LargestCrop)}, {options.LargestCrop}, do not fit.");
        }

        var row = whole.Width * whole.Channels;
        return new PixelImage(whole.Width, end - first, whole.Channels, whole.Pixels[(first * row)..(end * row)].ToArray());
    }
}
