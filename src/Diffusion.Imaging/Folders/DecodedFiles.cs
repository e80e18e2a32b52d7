namespace Diffusion.Imaging;

/// <summary>The files of a folder after each was decoded once.</summary>
/// <param name="Files">Those that could be read.</param>
/// <param name="Good">Where these stood in the folder's list.</param>
/// <param name="Cache">The pixels of the first of them, each [C, H, W].</param>
/// <param name="Bad">Those that could not.</param>
internal sealed record DecodedFiles(FolderFile[] Files, int[] Good, byte[][] Cache, (string Path, string Reason)[] Bad)
{
    private const int MaxListed = 20;

    /// <summary>Decodes all files, on all processors.</summary>
    /// <exception cref="InvalidDataException">Some cannot be read, and they are not to be skipped; or none can.</exception>
    public static DecodedFiles Read(string folder, string[] paths, ImageFolderOptions options)
    {
        var files = Array.ConvertAll(paths, path => new FolderFile(Path.Combine(folder, path)));
        var cache = new byte[Math.Min(files.Length, options.MemoryLimit / ((long)options.Height * options.Width * options.Channels))][];
        var errors = InParallel(files.Length, i =>
        {
            var image = files[i].ReadFirst(options);
            if (i < cache.Length)
            {
                cache[i] = image;
            }
        });
        var good = Enumerable.Range(0, files.Length).Where(i => errors[i] is null).ToArray();
        var bad = Enumerable.Range(0, files.Length).Where(i => errors[i] is not null).Select(i => (paths[i], errors[i]!.Message)).ToArray();
        if (bad.Length > 0 && (!options.SkipCorrupt || good.Length == 0))
        {
            throw new InvalidDataException(Describe(folder, bad, files.Length), Array.Find(errors, error => error is not null));
        }

        return new DecodedFiles(Array.ConvertAll(good, i => files[i]), good, [.. cache.Where(image => image is not null)], bad);
    }

    /// <summary>Runs the work for every index on all processors; what went wrong stands at its index.</summary>
    public static Exception?[] InParallel(int count, Action<int> work)
    {
        var errors = new Exception?[count];
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            try
            {
                work(i);
            }
            catch (Exception e) when (e is not OutOfMemoryException) // a codec of the user's may throw anything
            {
                errors[i] = e;
            }
        });
        return errors;
    }

    private static string Describe(string folder, (string Path, string Reason)[] bad, int count)
    {
        var listed = bad.Take(MaxListed).Select(file => $"{Environment.NewLine}  {file.Path}: {file.Reason}");
        var more = bad.Length > MaxListed ? $"{Environment.NewLine}  and {bad.Length - MaxListed} more" : "";
        return $"{folder}: {bad.Length} of {count} images cannot be used:{string.Concat(listed)}{more}";
    }
}
