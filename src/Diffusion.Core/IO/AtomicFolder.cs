namespace Diffusion;

/// <summary>Writes and deletes folders that are whole or absent: written into a temporary folder beside the target, which is then renamed; renamed to such a folder, then deleted. What is replaced is moved aside first and deleted last, so that one of the two is always whole on the disk.</summary>
internal static class AtomicFolder
{
    private const string Unfinished = ".tmp";
    private const string Replaced = ".old";

    /// <summary>Writes a folder. If anything fails before the new one is in place, what was at <paramref name="path"/> before is still there, unchanged; if the process is killed between the two renames, <see cref="Recover"/> puts it back.
    /// If only the folder above cannot be flushed, the new one is there, whole, and may be lost with the power.</summary>
    /// <param name="path">The folder to write; the one above is created if need be.</param>
    /// <param name="write">Writes the files into the folder that it is given.</param>
    /// <param name="replaces">Asked when all is written: whether to put it at <paramref name="path"/>, or else leave what is there.</param>
    /// <exception cref="IOException">It cannot be written, or a process has the old one open.</exception>
    public static void Write(string path, Action<string> write, Func<bool>? replaces = null)
    {
        PortableName.ThrowOnWindows(path);
        var target = PathNames.Whole(path);
        var folder = Path.GetDirectoryName(target)!;
        var beside = Beside(target);
        try
        {
            DurableFolder.Create(beside + Unfinished);
            write(beside + Unfinished);
            DurableFolder.Flush(beside + Unfinished);
            if (replaces?.Invoke() == false)
            {
                return;
            }

            var isThere = Directory.Exists(target);
            if (isThere)
            {
                Move(target, beside + Replaced);
            }

            try
            {
                Move(beside + Unfinished, target);
            }
            catch when (isThere)
            {
                Try(() => Move(beside + Replaced, target)); // or else Recover does
                throw;
            }

            DurableFolder.Flush(folder); // before anything older is deleted
            if (isThere)
            {
                Try(() => Move(beside + Replaced, beside + Unfinished)); // never to be put back
            }
        }
        finally
        {
            Try(() => Remove(beside + Unfinished));
        }
    }

    /// <summary>Clears away what processes that were killed while they wrote have left, as far as it can be deleted, and puts back what was moved aside and not yet replaced.</summary>
    /// <param name="folder">The folder whose folders were written.</param>
    /// <param name="pattern">Of their names.</param>
    public static void Recover(string folder, string pattern)
    {
        foreach (var replaced in ReplacedIn(folder, pattern))
        {
            var name = Path.GetFileName(replaced);
            var target = Path.Combine(folder, name[1..^(Replaced.Length + 33)]); // a dot and 32 digits
            if (Directory.Exists(target))
            {
                Try(() => Move(replaced, replaced[..^Replaced.Length] + Unfinished));
            }
            else
            {
                Move(replaced, target);
            }
        }

        foreach (var unfinished in Directory.GetDirectories(folder, $".{pattern}{Unfinished}"))
        {
            Try(() => Remove(unfinished));
        }
    }

    /// <summary>Whether there is something that <see cref="Recover"/> may have to put back.</summary>
    public static bool NeedsRecovery(string folder, string pattern) => ReplacedIn(folder, pattern).Length > 0;

    /// <summary>Deletes a folder with all that is in it, if it is there. It is renamed first: a process that is killed meanwhile leaves no half of it under its name, and <see cref="Recover"/> deletes the rest.</summary>
    /// <exception cref="IOException">It cannot be deleted.</exception>
    public static void Delete(string folder)
    {
        var target = PathNames.Whole(folder);
        if (Directory.Exists(target))
        {
            var unfinished = Beside(target) + Unfinished;
            Move(target, unfinished);
            Remove(unfinished);
        }
    }

    private static void Remove(string folder) => SharingViolation.Wait(folder, () =>
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException e) when (OperatingSystem.IsWindows() && e.HResult == SharingViolation.Unspecified)
        {
            throw new IOException(e.Message, SharingViolation.AccessDenied); // .NET says it without the number
        }

        if (Directory.Exists(folder))
        {
            throw new IOException("Something in it is open or was added.", SharingViolation.NotEmpty);
        }
    });

    private static string Beside(string target) => Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}");

    private static string[] ReplacedIn(string folder, string pattern) =>
        [.. Directory.GetDirectories(folder, $".{pattern}{Replaced}").Where(path => Path.GetFileName(path).Length > Replaced.Length + 34)];

    private static void Move(string from, string to) => SharingViolation.Wait(from, () => Directory.Move(from, to));

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // it is cleared away another time
        }
    }
}
