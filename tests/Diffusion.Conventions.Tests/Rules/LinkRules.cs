using System.Text.RegularExpressions;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>Links of the documents to files of the repository and to headings. Addresses on the web are not called.</summary>
internal static partial class LinkRules
{
    /// <summary>Links that lead nowhere.</summary>
    /// <param name="documents">Path from the root, with slashes, and text.</param>
    /// <param name="exists">Whether there is a file or folder of that path from the root, in upper and lower case as given.</param>
    public static IEnumerable<string> Broken(IEnumerable<(string Path, string Text)> documents, Func<string, bool> exists)
    {
        var all = documents.ToList();
        var headings = all.ToDictionary(document => document.Path, document => Headings.Anchors(document.Text), StringComparer.Ordinal);
        return from document in all
               from link in Links(document.Text)
               let fault = Fault(document.Path, link.Target, headings, exists)
               where fault is not null
               select $"{document.Path}({link.Line}): {link.Target}: {fault}";
    }

    /// <summary>The targets of links and pictures, with the number of their line.</summary>
    public static IEnumerable<(int Line, string Target)> Links(string text) =>
        from line in Headings.Prose(text)
        from match in Link().Matches(InlineCode().Replace(line.Text, "")).Concat(Defined().Matches(line.Text)).Concat(Html().Matches(InlineCode().Replace(line.Text, "")))
        select (line.Number, match.Groups["target"].Value.Trim('<', '>'));

    private static string? Fault(string path, string target, Dictionary<string, IReadOnlySet<string>> headings, Func<string, bool> exists)
    {
        if (Scheme().IsMatch(target))
        {
            return null;
        }

        var (file, anchor) = target.Split('#', 2) is [var first, var second] ? (first, second) : (target, null);
        if (file.StartsWith('/') || file.Contains('\\', StringComparison.Ordinal))
        {
            return "a path is relative to the document and has slashes";
        }

        if (Resolve(path, Uri.UnescapeDataString(file)) is not { } found)
        {
            return "leads out of the repository";
        }

        if (!exists(found))
        {
            return "there is no such file; upper and lower case are different";
        }

        return anchor is null ? null
            : !headings.TryGetValue(found, out var anchors) ? "only documents have headings"
            : anchors.Contains(Uri.UnescapeDataString(anchor)) ? null
            : $"{found} has no such heading; it has {string.Join(", ", anchors.Order(StringComparer.Ordinal))}";
    }

    /// <summary>The path from the root; <see langword="null"/> outside of it.</summary>
    private static string? Resolve(string document, string target)
    {
        if (target.Length == 0)
        {
            return document;
        }

        var parts = document.Split('/')[..^1].ToList();
        foreach (var part in target.Split('/').Where(part => part is not ("" or ".")))
        {
            if (part != "..")
            {
                parts.Add(part);
            }
            else if (parts.Count == 0)
            {
                return null;
            }
            else
            {
                parts.RemoveAt(parts.Count - 1);
            }
        }

        return string.Join('/', parts);
    }

    [GeneratedRegex(@"\]\(\s*(?<target><[^>]*>|[^\s()]*(\([^\s()]*\)[^\s()]*)*)(\s+(""[^""]*""|'[^']*'))?\s*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^ {0,3}\[[^\]]+\]:\s*(?<target>\S+)")]
    private static partial Regex Defined();

    [GeneratedRegex(@"<(a|img)\s[^>]*?\b(href|src)\s*=\s*[""'](?<target>[^""']*)[""']", RegexOptions.IgnoreCase)]
    private static partial Regex Html();

    [GeneratedRegex(@"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")]
    private static partial Regex InlineCode();

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9+.-]+:")]
    private static partial Regex Scheme();
}
