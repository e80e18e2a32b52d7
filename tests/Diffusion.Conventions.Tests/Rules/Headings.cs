using System.Text;
using System.Text.RegularExpressions;

namespace Diffusion.Conventions.Tests.Rules;

/// <summary>What is prose in a document, and the anchors that GitHub gives its headings.</summary>
internal static partial class Headings
{
    /// <summary>The lines outside of blocks of code, with their numbers.</summary>
    public static IEnumerable<(int Number, string Text)> Prose(string text)
    {
        string? fence = null;
        foreach (var (i, line) in text.ReplaceLineEndings("\n").Split('\n').Index())
        {
            var mark = Fence().Match(line).Groups[1].Value;
            if (fence is null && mark.Length > 0)
            {
                fence = mark;
            }
            else if (fence is null)
            {
                yield return (i + 1, line);
            }
            else if (mark.StartsWith(fence, StringComparison.Ordinal) && line.Trim().Length == mark.Length)
            {
                fence = null;
            }
        }
    }

    /// <summary>The anchors of the headings, and those that are given by name; of two equal headings the second has -1 at its end.</summary>
    public static IReadOnlySet<string> Anchors(string text)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (_, line) in Prose(text))
        {
            anchors.UnionWith(Named().Matches(line).Select(match => match.Groups[1].Value));
            if (Heading().Match(line) is { Success: true } heading)
            {
                var (anchor, again) = (Anchor(heading.Groups[1].Value), 0);
                var name = anchor;
                while (!anchors.Add(name))
                {
                    name = $"{anchor}-{++again}";
                }
            }
        }

        return anchors;
    }

    private static string Anchor(string heading)
    {
        var anchor = new StringBuilder();
        foreach (var rune in LinkText().Replace(heading, "$1").Trim().ToLowerInvariant().EnumerateRunes())
        {
            if (rune.Value == ' ')
            {
                anchor.Append('-');
            }
            else if (Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '_' || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark)
            {
                anchor.Append(rune);
            }
        }

        return anchor.ToString();
    }

    [GeneratedRegex("^ {0,3}(`{3,}|~{3,})")]
    private static partial Regex Fence();

    [GeneratedRegex("^ {0,3}#{1,6} +(.*?)( +#+)? *$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"!?\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkText();

    [GeneratedRegex(@"<a\s+(?:id|name)\s*=\s*[""']([^""']+)[""']", RegexOptions.IgnoreCase)]
    private static partial Regex Named();
}
