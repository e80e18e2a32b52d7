using System.Globalization;
using System.Text;

namespace Diffusion.Observers;

/// <summary>
/// A CSV file whose first column is a step, to which lines are appended at once. What a killed run left is mended when it goes on: a last line without its end,
/// and lines of steps that are done again.
/// </summary>
internal sealed class CsvFile : IDisposable
{
    private readonly FileStream _stream;

    /// <summary>Opens or makes the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">The names of its columns. A file with others is written anew with these; what it lacks is empty.</param>
    /// <param name="step">Lines up to this step are kept.</param>
    public CsvFile(string path, IReadOnlyList<string> columns, int step)
    {
        AtomicFile.Write(path, stream =>
        {
            Write(stream, columns);
            foreach (var fields in Read(path, columns).Where(fields => Number(fields[0]) <= step))
            {
                Write(stream, fields);
            }
        });
        _stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    /// <summary>The whole lines of a file that have as many fields as it has columns; none where there is no file.</summary>
    /// <returns>The fields of each line in the order of <paramref name="columns"/>, empty where the file lacks the column.</returns>
    public static IEnumerable<IReadOnlyList<string>> Read(string path, IReadOnlyList<string> columns)
    {
        string[]? header = null;
        foreach (var line in WholeLines(path))
        {
            var fields = line.Split(',');
            if (header is null)
            {
                header = fields;
            }
            else if (fields.Length == header.Length)
            {
                yield return [.. columns.Select(column => Array.IndexOf(header, column) is var i and >= 0 ? fields[i] : "")];
            }
        }
    }

    public static string Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    public static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    public void Append(IReadOnlyList<string> fields) => Write(_stream, fields);

    public void Dispose() => _stream.Dispose();

    private static void Write(Stream stream, IReadOnlyList<string> fields) => stream.Write(Encoding.UTF8.GetBytes(string.Join(',', fields) + "\n"));

    private static IEnumerable<string> WholeLines(string path)
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        PlainFile.ThrowIfOther(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var whole = stream.Length > 0 && stream.Seek(-1, SeekOrigin.End) >= 0 && stream.ReadByte() == '\n';
        stream.Position = 0;
        using var reader = new StreamReader(stream);
        var line = reader.ReadLine();
        while (line is not null)
        {
            var next = reader.ReadLine();
            if (next is not null || whole)
            {
                yield return line;
            }

            line = next;
        }
    }
}
