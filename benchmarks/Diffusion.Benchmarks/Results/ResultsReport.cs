using System.Globalization;
using System.Text;

namespace Diffusion.Benchmarks;

/// <summary>Writes the tables of <c>docs/results.md</c>: what stands between <c>&lt;!-- table: NAME --&gt;</c> and <c>&lt;!-- end --&gt;</c> is made of the rows; the rest of the page is written by hand.</summary>
internal static class ResultsReport
{
    private const string Begin = "<!-- table: ";
    private const string End = "<!-- end -->";

    private static readonly string[] s_head =
    [
        "| | training | calls | images | distance | excess | kernel distance | precision, recall | density, coverage | nearest, pixels | label accuracy; sure | classes | bits/dim |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ];

    /// <summary>The page with its tables made anew.</summary>
    /// <param name="page">The page.</param>
    /// <param name="plan">The plan, whose rows have their order.</param>
    /// <param name="rows">The measured rows by name.</param>
    /// <exception cref="FormatException">A table is missing in the page, has no end, or is not in the plan.</exception>
    public static string Write(string page, ResultPlan plan, IReadOnlyDictionary<string, ResultRow> rows)
    {
        var (result, tables) = (new StringBuilder(), plan.Rows.GroupBy(row => row.Table).ToDictionary(group => group.Key, group => group.ToList()));
        string? open = null;
        foreach (var line in page.TrimEnd('\n').Split('\n'))
        {
            if (open is not null && line != End)
            {
                continue;
            }

            result.Append(line).Append('\n');
            if (open is not null)
            {
                open = null;
            }
            else if (line.StartsWith(Begin, StringComparison.Ordinal))
            {
                open = line[Begin.Length..].Split(' ')[0];
                var planned = tables.Remove(open, out var found) ? found : throw new FormatException($"The page has a table '{open}', which no row of the plan is in, or has it twice.");
                result.AppendJoin('\n', s_head.Concat(planned.Select(row => Line(row, rows.GetValueOrDefault(row.Name))))).Append('\n');
                result.Append(Machines([.. planned.Select(row => rows.GetValueOrDefault(row.Name)).OfType<ResultRow>()]));
            }
        }

        return open is not null ? throw new FormatException($"The table '{open}' of the page does not end with {End}.")
            : tables.Count > 0 ? throw new FormatException($"The page has no table '{tables.Keys.First()}'.")
            : result.ToString();
    }

    private static string Line(PlannedRow row, ResultRow? measured)
    {
        if (measured is null)
        {
            return string.Create(CultureInfo.InvariantCulture, $"| {row.Title} | not run, some {row.Hours:0.#} h |{string.Concat(Enumerable.Repeat(" |", 11))}");
        }

        string Value(string figure, string format) => Unsigned(measured.Figure(figure)?.ToString(format, CultureInfo.InvariantCulture) ?? "");
        string Pair(string first, string second, string separator, string format) => measured.Figure(first) is null ? "" : $"{Value(first, format)}{separator} {Value(second, format)}";
        string[] cells =
        [
            row.Title,
            measured.Training is not { } training ? "" : string.Create(CultureInfo.InvariantCulture, $"{training.Steps} {(training.Steps == 1 ? "step" : "steps")}{(training.Seconds is { } seconds ? $", {seconds / 60:0.0} min" : "")}"),
            measured.Setting("networkCallsPerImage") ?? "",
            measured.Count.ToString(CultureInfo.InvariantCulture),
            Value("frechetDistance", "0.00"),
            Value("frechetDistanceExcess", "0.00"),
            Value("kernelDistance", "0.000"),
            Pair("precision", "recall", ",", "0.000"),
            Pair("density", "coverage", ",", "0.000"),
            Pair("nearestPixels", "nearestReferencePixels", "; test", "0.0"),
            Pair("labelAccuracy", "labelAccuracySure", ";", "0.000"),
            measured.Classes is { Count: > 0 } classes ? $"{classes.Min()}–{classes.Max()}" : "",
            Likelihood(measured),
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    /// <summary>A paragraph that says on which processors, by how many of the rows where there are several; empty where nothing is measured.</summary>
    private static string Machines(IReadOnlyList<ResultRow> measured)
    {
        var groups = measured.GroupBy(row => row.Processor).ToList();
        return groups.Count == 0 ? "" : $"\nMeasured on {string.Join("; ", groups.Select(group => groups.Count == 1 ? group.Key : $"{group.Key} ({group.Count()} of the rows)"))}.\n";
    }

    /// <summary>A zero has no sign.</summary>
    private static string Unsigned(string number) => number.StartsWith('-') && number.All(sign => sign is '-' or '0' or '.') ? number[1..] : number;

    private static string Likelihood(ResultRow measured)
    {
        var (figure, sign) = measured.Figure("likelihoodExact") is null ? ("likelihoodBound", "≤ ") : ("likelihoodExact", "");
        return measured.Figure(figure) is { } value ? string.Create(CultureInfo.InvariantCulture, $"{sign}{value:0.00} (n = {measured.Images(figure)})") : "";
    }
}
