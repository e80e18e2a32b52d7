using System.Text.RegularExpressions;

namespace Diffusion;

/// <summary>A name in which <c>*</c> stands for any characters or none.</summary>
internal sealed class NamePattern(string pattern)
{
    private const int NearestCount = 3;

    private readonly Regex _expression = new(
        "^" + Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal) + "$",
        RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);

    public bool Matches(string name) => _expression.IsMatch(name);

    /// <summary>The names, and the groups <c>prefix.*</c> of names, that take the fewest changes to come to from this pattern; nearest first.</summary>
    public IEnumerable<string> Nearest(IReadOnlyList<string> names) =>
        names.Concat(names.SelectMany(Groups)).Distinct(StringComparer.Ordinal)
            .Select(candidate => (candidate, distance: Distance(pattern, candidate)))
            .OrderBy(entry => entry.distance).ThenBy(entry => entry.candidate, StringComparer.Ordinal)
            .Take(NearestCount).Select(entry => $"'{entry.candidate}'");

    public override string ToString() => pattern;

    private static IEnumerable<string> Groups(string name)
    {
        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            yield return name[..(dot + 1)] + "*";
        }
    }

    /// <summary>The characters to insert, delete or replace (Levenshtein's distance).</summary>
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
