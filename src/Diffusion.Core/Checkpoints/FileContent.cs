using System.Globalization;
using System.Text;

namespace Diffusion;

/// <summary>What a file is by its first bytes, whatever its name says.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Description">What it is, and what to do about it where it is no weights: <c>an HTML page and no weights: …</c>. <see langword="null"/> where nothing is known.</param>
internal sealed record FileContent(ContentKind Kind, string? Description)
{
    private const int StartLength = 4096;
    private const int ShownLength = 80;

    private const string Reload = "download the file itself, and sign in where that is needed";

    /// <summary>Looks at a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static FileContent Of(string path)
    {
        if (IsEmpty(path))
        {
            return new FileContent(ContentKind.Unknown, "empty, or no plain file: it has 0 bytes");
        }

        var start = new byte[StartLength];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return Of(start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)), path);
    }

    /// <summary>Whether a file has no bytes. What is no plain file, such as a pipe, has none either; to open it could wait for ever.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static bool IsEmpty(string path)
    {
        var target = new FileInfo(File.Exists(path) ? Target(path) : path);
        return target.Exists
            ? target.Length == 0
            : throw new FileNotFoundException(Directory.Exists(path) ? $"'{path}' is a folder, and a file is needed." : $"There is no file '{path}', or it is a link that leads nowhere.", path);
    }

    private static string Target(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException exception)
        {
            throw new FileNotFoundException($"'{path}' is a link that leads to itself, or to no file by over 40 links: {exception.Message}", path, exception);
        }
    }

    /// <summary>Why a reader refuses a file: what the file is, where that is known and something else, and otherwise the reader's own reason.</summary>
    /// <param name="path">The file.</param>
    /// <param name="reason">What the reader says against the file.</param>
    /// <param name="own">The kinds of content that the reader reads.</param>
    /// <returns>A sentence.</returns>
    public static string Refusal(string path, string reason, params ReadOnlySpan<ContentKind> own)
    {
        var (kind, description) = Of(path);
        reason = reason.TrimEnd('.');
        return own.Contains(kind) || description is null ? $"{reason}."
            : kind == ContentKind.Unknown ? $"{reason}; it is {description}."
            : kind is ContentKind.Safetensors or ContentKind.Zip or ContentKind.Pickle or ContentKind.ShardIndex ? $"it is {description}; WeightFiles.Open reads weights by their content."
            : $"it is {description}.";
    }

    private static FileContent Of(ReadOnlySpan<byte> start, string path)
    {
        // The length of a header, which is far below 2³², and the brace that it begins with.
        if (start.Length > 8 && start[8] == (byte)'{' && !start[4..8].ContainsAnyExcept((byte)0))
        {
            return new FileContent(ContentKind.Safetensors, "a safetensors file");
        }

        if (start.StartsWith("PK\u0003\u0004"u8) || start.StartsWith("PK\u0005\u0006"u8))
        {
            return new FileContent(ContentKind.Zip, "a ZIP archive, as torch.save writes them");
        }

        if (FileSignatures.Find(start) is { } signature)
        {
            return new FileContent(ContentKind.Foreign, signature);
        }

        return start is [0x80, >= 2 and <= 5, ..] ? new FileContent(ContentKind.Pickle, "a pickle of Python") : OfText(start, path);
    }

    private static FileContent OfText(ReadOnlySpan<byte> start, string path)
    {
        if (!start.ContainsAnyExcept((byte)0))
        {
            return new FileContent(ContentKind.Unknown, "nothing but zeros at its beginning: a download that was never finished looks like this; download it again");
        }

        var text = Text(start);
        if (text.StartsWith("version https://git-lfs.", StringComparison.Ordinal) || text.StartsWith("version https://hawser.", StringComparison.Ordinal))
        {
            return new FileContent(ContentKind.Foreign, LfsPointer(text));
        }

        if (text.StartsWith('<'))
        {
            var isPage = text.Contains("<html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase);
            return new FileContent(ContentKind.Foreign, $"{(isPage ? "an HTML page" : "an XML document")} and no weights, such as a server answers instead of a file ({Shown(text)}): {Reload}");
        }

        if (text.StartsWith('{') && text.Contains("\"weight_map\"", StringComparison.Ordinal))
        {
            return new FileContent(ContentKind.ShardIndex, "an index of shards, which says in which files the weights are");
        }

        if (text.StartsWith('{') || text.StartsWith('['))
        {
            return new FileContent(ContentKind.Json, $"JSON and no weights ({Shown(text)}): {Reload}");
        }

        return new FileContent(ContentKind.Unknown, IsPlain(text) ? $"a text and no weights ({Shown(text)})" : FileSignatures.ByExtension(path));
    }

    private static string LfsPointer(string text)
    {
        var size = text.Split('\n').FirstOrDefault(line => line.StartsWith("size ", StringComparison.Ordinal))?[5..].Trim();
        var bytes = long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? string.Create(CultureInfo.InvariantCulture, $" of {count} bytes") : "";
        return $"a pointer of Git LFS and not the weights{bytes} that it stands for: run `git lfs install` and `git lfs pull` in the folder that was cloned, or download the file itself";
    }

    /// <summary>The text of the bytes without what may come before it.</summary>
    private static string Text(ReadOnlySpan<byte> start)
    {
        var encoding = start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? Encoding.Unicode : Encoding.UTF8;
        return encoding.GetString(start).TrimStart('\uFEFF').TrimStart();
    }

    private static bool IsPlain(string text) => text.Length > 0 && text.All(c => c != '\uFFFD' && (!char.IsControl(c) || c is '\n' or '\r' or '\t'));

    private static string Shown(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= ShownLength ? line : line[..ShownLength] + "…";
    }
}
