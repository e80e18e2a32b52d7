using System.IO.Compression;

namespace Diffusion.Evaluation;

/// <summary>An archive of NumPy arrays, <c>.npz</c>, opened for reading: nothing in it is executed.</summary>
internal sealed class NpzFile : IDisposable
{
    private const string Extension = ".npy";

    private readonly string _path;
    private readonly FileStream _stream;
    private readonly ZipArchive _archive;

    private NpzFile(string path, FileStream stream, ZipArchive archive) => (_path, _stream, _archive) = (path, stream, archive);

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is something else; the message names it.</exception>
    public static NpzFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileContent.IsEmpty(path))
        {
            throw new InvalidDataException($"'{path}' is no .npz of NumPy: it is empty, or no plain file.");
        }

        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            _ = archive.Entries; // reads the directory
            return new(path, stream, archive);
        }
        catch (Exception e) when (IsOfTheArchive(e))
        {
            var reason = Reason(path, stream, e);
            stream.Dispose();
            throw new InvalidDataException($"'{path}' is no .npz of NumPy: {reason}.", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads an array.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="read">Reads it; what it throws as <see cref="InvalidDataException"/> is a part of a sentence.</param>
    /// <exception cref="InvalidDataException">The file has no such array, or several, or it is damaged; the message names both.</exception>
    public T Read<T>(string name, Func<NpyReader, T> read) => TryRead(name, read, out var value) ? value
        : throw new InvalidDataException($"'{_path}' has no array '{name}'; it has {Names()}.");

    /// <summary>Reads an array if it is there.</summary>
    /// <inheritdoc cref="Read"/>
    /// <returns>Whether it is there.</returns>
    public bool TryRead<T>(string name, Func<NpyReader, T> read, out T value)
    {
        var entries = _archive.Entries.Where(entry => entry.FullName == name + Extension || entry.FullName == name).ToArray();
        if (entries.Length > 1)
        {
            throw new InvalidDataException($"'{_path}' has {entries.Length} arrays '{name}'; one is needed.");
        }

        value = default!;
        if (entries.Length == 0)
        {
            return false;
        }

        try
        {
            using var reader = new NpyReader(entries[0], _stream.Length);
            value = read(reader);
            return true;
        }
        catch (Exception e) when (IsOfTheArchive(e))
        {
            var reason = e is EndOfStreamException ? "it ends too early" : e.Message.TrimEnd('.');
            throw new InvalidDataException($"'{_path}' cannot be read: its array '{name}' is refused: {reason}.", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _archive.Dispose();
        _stream.Dispose();
    }

    /// <summary>How the archive's reader reports what is damaged, such as offsets that lead nowhere.</summary>
    private static bool IsOfTheArchive(Exception error) => error is IOException or InvalidDataException or ArgumentException or NotSupportedException or OverflowException;

    private static string Reason(string path, FileStream stream, Exception error)
    {
        var start = new byte[8];
        stream.Position = 0;
        if (NpyHeader.IsStart(start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false))))
        {
            return "it is a single array (.npy), and numpy.savez writes archives of several";
        }

        var (kind, description) = FileContent.Of(path);
        return kind != ContentKind.Zip && description is not null ? $"it is {description}"
            : $"its directory, which is at its end, is missing or damaged, as in a download that was cut off ({error.Message.TrimEnd('.')})";
    }

    private string Names()
    {
        var names = _archive.Entries.Select(entry => entry.FullName.EndsWith(Extension, StringComparison.Ordinal) ? entry.FullName[..^Extension.Length] : entry.FullName).ToArray();
        return names.Length == 0 ? "none" : $"'{string.Join("', '", names.Take(10))}'{(names.Length > 10 ? ", …" : "")}";
    }
}
