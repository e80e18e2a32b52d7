using System.Globalization;
using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>A profile as text.</summary>
internal static class ProfileTable
{
    /// <summary>The tables of a step.</summary>
    /// <param name="profile">Its network.</param>
    /// <param name="summary">The multiply-adds of the blocks.</param>
    /// <param name="batch">The images of the batch.</param>
    /// <param name="whole">The seconds of the whole step.</param>
    /// <param name="rest">What the step does beside the network, in seconds.</param>
    public static string Of(NetworkProfile profile, UNetSummary summary, int batch, double whole, IReadOnlyList<(string What, double Seconds)> rest)
    {
        var lines = new List<string> { "| block | forward in place (ms) | forward alone (ms) | backward alone (ms) | alone: share of the step | multiply-adds, forward (10⁹) |", "|---|---|---|---|---|---|" };
        foreach (var (block, inPlace, alone) in profile.Blocks)
        {
            var cost = summary.Rows.Where(row => row.Block == block).Sum(row => row.MultiplyAdds) * batch;
            lines.Add(Line($"| {block} | {1000 * inPlace:0.0} | {1000 * alone.Forward:0.0} | {1000 * alone.Backward:0.0} | {alone.Sum / whole:0.0%} | {cost / 1e9:0.00} |"));
        }

        lines.AddRange(Rest(profile.Blocks.Sum(block => block.Alone.Sum), whole, rest, "| {0} | | {1} | | {2} | |"));
        lines.AddRange(["", "| operators | number | forward (ms) | backward (ms) | share of the step |", "|---|---|---|---|---|"]);
        foreach (var (family, count, alone) in profile.Families.OrderByDescending(family => family.Alone.Sum))
        {
            lines.Add(Line($"| {family} | {count} | {1000 * alone.Forward:0.0} | {1000 * alone.Backward:0.0} | {alone.Sum / whole:0.0%} |"));
        }

        lines.AddRange(Rest(profile.Families.Sum(family => family.Alone.Sum), whole, rest, "| {0} | | {1} | | {2} |"));
        return string.Join('\n', lines);
    }

    private static IEnumerable<string> Rest(double network, double whole, IReadOnlyList<(string What, double Seconds)> rest, string format)
    {
        var sum = network + rest.Sum(entry => entry.Seconds);
        return rest.Append(("**sum**", sum)).Append(("**whole step, measured**", whole))
            .Select(entry => string.Format(CultureInfo.InvariantCulture, format, entry.Item1, Line($"{1000 * entry.Item2:0.0}"), Line($"{entry.Item2 / whole:0.0%}")));
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
