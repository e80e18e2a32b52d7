namespace Diffusion;

/// <summary>Writes folders that are whole or absent: into a temporary folder beside the target, which is then renamed. What is replaced is moved aside first and deleted last, so that one of the two is always there.</summary>
internal static class AtomicFolder
{
    private const string Unfinished = ".tmp";
    private const string Replaced = ".old";

    /// <summary>Writes a folder. If anything fails, what was at <paramref name="path"/> before is still there, unchanged.</summary>
    /// <param name="path">The folder to write; the one above is created if need be.</param>
    /// <param name="write">Writes the files into the folder that it is given.</param>
    /// <param name="replaces">Asked when all is written: whether to put it at <paramref name="path"/>, or else leave what is there.</param>
    /// <exception cref="IOException">It cannot be written, or a process has the old one open.</exception>
    public static void Write(string path, Action<string> write, Func<bool>? replaces = null)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var (folder, name) = (Path.GetDirectoryName(target)!, Path.GetFileName(target));
        var beside = Path.Combine(folder, $".{name}.{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(beside + Unfinished);
            write(beside + Unfinished);
            if (replaces?.Invoke() == false)
            {
                return;
            }

            if (!Directory.Exists(target))
            {
                SharingViolation.Wait(target, () => Directory.Move(beside + Unfinished, target));
                return;
            }

            SharingViolation.Wait(target, () => Directory.Move(target, beside + Replaced));
            try
            {
                SharingViolation.Wait(target, () => Directory.Move(beside + Unfinished, target));
            }
            catch
            {
                Directory.Move(beside + Replaced, target);
                throw;
            }

            Delete(beside + Replaced);
        }
        finally
        {
            Delete(beside + Unfinished);
        }
    }

    /// <summary>Clears away what processes that were killed while they wrote have left, and puts back what was moved aside and not yet replaced.</summary>
    /// <param name="folder">The folder whose folders were written.</param>
    /// <param name="pattern">Of their names.</param>
    public static void Recover(string folder, string pattern)
    {
        foreach (var replaced in Directory.GetDirectories(folder, $".{pattern}{Replaced}"))
        {
            var name = Path.GetFileName(replaced);
            var end = name.Length - Replaced.Length - 33; // a dot and 32 digits
            if (end < 2)
            {
                continue; // somebody else's
            }

            var target = Path.Combine(folder, name[1..end]);
            if (Directory.Exists(target))
            {
                Delete(replaced);
            }
            else
            {
                SharingViolation.Wait(target, () => Directory.Move(replaced, target));
            }
        }

        foreach (var unfinished in Directory.GetDirectories(folder, $".{pattern}{Unfinished}"))
        {
            Delete(unfinished);
        }
    }

    /// <summary>Deletes a folder with all that is in it, if it is there.</summary>
    public static void Delete(string folder) => SharingViolation.Wait(folder, () =>
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    });
}
