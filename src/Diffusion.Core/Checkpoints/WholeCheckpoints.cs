using System.Globalization;

namespace Diffusion;

/// <summary>Which checkpoints are whole. Each is read once, and again where a file of it has changed since or could not be read.</summary>
internal sealed class WholeCheckpoints
{
    private readonly Lock _exclusive = new();
    private readonly Dictionary<string, (string Files, string? Damage)> _read = new(PathNames.Comparer); // with the sizes and times of their files
    private readonly HashSet<string> _given = [];

    /// <summary>What is wrong with a checkpoint.</summary>
    /// <param name="folder">Its folder.</param>
    /// <returns>A sentence; <see langword="null"/> where it is whole.</returns>
    public string? Damage(string folder)
    {
        lock (_exclusive)
        {
            try
            {
                var (path, files) = (PathNames.Whole(folder), Files(folder));
                if (!_read.TryGetValue(path, out var read) || read.Files != files)
                {
                    _read[path] = read = (files, Read(folder));
                }

                return read.Damage;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return e.Message;
            }
        }
    }

    /// <summary>Whether a warning was not given before; it counts as given from now on.</summary>
    public bool IsNew(string warning)
    {
        lock (_exclusive)
        {
            return _given.Add(warning);
        }
    }

    private static string? Read(string folder)
    {
        try
        {
            _ = Checkpoint.Open(folder);
            return null;
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }

    private static string Files(string folder) => string.Join('/', new DirectoryInfo(folder).EnumerateFiles()
        .OrderBy(file => file.Name, StringComparer.Ordinal)
        .Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.Name}/{file.Length}/{file.LastWriteTimeUtc.Ticks}")));
}
