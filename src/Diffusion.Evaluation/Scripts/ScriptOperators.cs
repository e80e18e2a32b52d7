using System.Collections.Concurrent;
using System.Diagnostics;

namespace Diffusion.Evaluation;

/// <summary>
/// Which operators libtorch has. To compile a call of one that it lacks ends the process (TorchSharp 0.107 catches other errors), and it cannot be asked: so its file is searched for the operators' schemas,
/// such as <c>relu(Tensor self) -> Tensor</c>.
/// </summary>
internal static class ScriptOperators
{
    private const int Piece = 1 << 20;
    private const int LongestSchema = 4096;
    private const string Library = "torch_cpu";

    private static readonly ConcurrentDictionary<string, bool> s_known = new(StringComparer.Ordinal);
    private static readonly Lock s_search = new();

    /// <summary>Those that libtorch lacks; none where its file cannot be found.</summary>
    /// <param name="operators">With their namespaces: <c>aten::relu</c>.</param>
    public static IReadOnlySet<string> Missing(IEnumerable<string> operators)
    {
        var wanted = operators.ToHashSet(StringComparer.Ordinal);
        lock (s_search)
        {
            var unknown = wanted.Where(name => !s_known.ContainsKey(name)).ToList();
            if (unknown.Count > 0 && LibraryPath() is { } path)
            {
                var found = Search(path, unknown.Select(Simple));
                unknown.ForEach(name => s_known[name] = found.Contains(Simple(name)));
            }
        }

        return wanted.Where(name => s_known.TryGetValue(name, out var known) && !known).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The names of which there is a schema in a file.</summary>
    internal static IReadOnlySet<string> Search(string path, IEnumerable<string> names)
    {
        var left = names.ToHashSet(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        var lookup = left.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> letters = stackalloc char[LongestSchema];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        var bytes = new byte[Piece + (2 * LongestSchema)];
        for (var kept = 0; left.Count > 0 && file.ReadAtLeast(bytes.AsSpan(kept), bytes.Length - kept, throwOnEndOfStream: false) is > 0 and var read;)
        {
            var text = bytes.AsSpan(0, kept + read);
            for (var at = 0; text[at..].IndexOf((byte)'(') is >= 0 and var next; at++)
            {
                at += next;
                var name = NameBefore(text, at, letters);
                if (lookup.TryGetValue(name, out var actual) && IsSchema(text[at..]))
                {
                    left.Remove(actual);
                    found.Add(actual);
                }
            }

            kept = Math.Min(text.Length, 2 * LongestSchema);
            text[^kept..].CopyTo(bytes);
        }

        return found;
    }

    private static string Simple(string name) => name[(name.LastIndexOf(':') + 1)..];

    private static string? LibraryPath()
    {
        DiffusionRuntime.EnsureLoaded();
        using var process = Process.GetCurrentProcess();
        return process.Modules.Cast<ProcessModule>().Select(module => module.FileName).FirstOrDefault(file => Path.GetFileNameWithoutExtension(file) is Library or $"lib{Library}" && File.Exists(file));
    }

    /// <summary>The name that ends at a place, without the overload behind its dot.</summary>
    private static ReadOnlySpan<char> NameBefore(ReadOnlySpan<byte> text, int end, Span<char> letters)
    {
        var start = end;
        while (start > 0 && end - start < letters.Length && IsName(text[start - 1]))
        {
            start--;
        }

        for (var i = start; i < end; i++)
        {
            letters[i - start] = (char)text[i];
        }

        ReadOnlySpan<char> whole = letters[..(end - start)];
        return whole.IndexOf('.') is >= 0 and var dot ? whole[..dot] : whole;
    }

    private static bool IsName(byte letter) => char.IsAsciiLetterOrDigit((char)letter) || letter is (byte)'_' or (byte)'.';

    /// <summary>Whether arguments and an arrow follow, before the text ends.</summary>
    private static bool IsSchema(ReadOnlySpan<byte> text)
    {
        text = text[..Math.Min(text.Length, LongestSchema)];
        var length = text.IndexOfAnyInRange((byte)0, (byte)31) is >= 0 and var end ? end : text.Length;
        return text[..length].IndexOf(") -> "u8) >= 0;
    }
}
