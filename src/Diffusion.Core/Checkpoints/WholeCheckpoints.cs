using System.Globalization;

namespace Diffusion;

/// <summary>Which checkpoints are whole. Each is read once, and again where a file of it has changed since.</summary>
internal sealed class WholeCheckpoints
{
    private readonly Lock _exclusive = new();
    private readonly Dictionary<string, string> _whole = new(PathNames.Comparer); // the sizes and times of their files

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
                if (_whole.GetValueOrDefault(path) != files)
                {
                    _ = Checkpoint.Open(folder);
                    _whole[path] = files;
                }

                return null;
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                return e.Message;
            }
        }
    }

    private static string Files(string folder) => string.Join('/', new DirectoryInfo(folder).EnumerateFiles()
        .OrderBy(file => file.Name, StringComparer.Ordinal)
        .Select(file => string.Create(CultureInfo.InvariantCulture, $"{file.Name}/{file.Length}/{file.LastWriteTimeUtc.Ticks}")));
}
