namespace Diffusion;

/// <summary>A reader of files and where damaged ones come from.</summary>
/// <param name="Name">What is read.</param>
/// <param name="Files">Damaged files by count and seed.</param>
/// <param name="Read">Reads the file at a path, all of it.</param>
public sealed record FuzzTarget(string Name, Func<int, int, IEnumerable<byte[]>> Files, Action<string> Read)
{
    /// <summary>Errors that a reader may end with; the message is the reason. <see cref="InvalidDataException"/> and <see cref="FormatException"/> by default.</summary>
    public Func<Exception, bool> IsRefusal { get; init; } = error => error is InvalidDataException or FormatException;

    /// <summary>Managed bytes that a reader may take for each byte of the file.</summary>
    public long BytesForEachByte { get; init; } = 64;

    /// <summary>Managed bytes that a reader may take for any file, however small.</summary>
    public long BytesForAnyFile { get; init; } = 1 << 18;

    /// <summary>Damaged copies of whole files, byte by byte.</summary>
    /// <param name="originals">The files; each gives its share of the copies.</param>
    /// <param name="wrap">What is put around a damaged copy; nothing by default.</param>
    public static Func<int, int, IEnumerable<byte[]>> Damaged(IReadOnlyList<byte[]> originals, Func<byte[], byte[]>? wrap = null) =>
        (count, seed) => Share(originals, count, (original, share, i) => Mutations.Of(original, share, seed + i), wrap);

    /// <summary>JSON texts with other values, and damaged ones, half and half.</summary>
    /// <param name="originals">JSON objects; each gives its share of the copies.</param>
    /// <param name="wrap">What is put around a changed copy; nothing by default.</param>
    public static Func<int, int, IEnumerable<byte[]>> Json(IReadOnlyList<byte[]> originals, Func<byte[], byte[]>? wrap = null) =>
        (count, seed) => Share(
            originals, count, (original, share, i) => [.. JsonMutations.Of(original, share - (share / 2), seed + i), .. Mutations.Of(original, share / 2, seed + i)], wrap);

    private static IEnumerable<byte[]> Share(
        IReadOnlyList<byte[]> originals, int count, Func<byte[], int, int, IEnumerable<byte[]>> mutate, Func<byte[], byte[]>? wrap) => originals.SelectMany(
            (original, i) => mutate(original, (count / originals.Count) + (i < count % originals.Count ? 1 : 0), i).Select(wrap ?? (copy => copy)));
}
