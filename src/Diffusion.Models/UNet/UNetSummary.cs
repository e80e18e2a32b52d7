using System.Globalization;
using System.Text;

namespace Diffusion.Models;

/// <summary>What a block list costs, counted without building it: output shape, parameters and multiply-adds of each block.</summary>
/// <remarks>A multiply-add is one product and one sum. Counted are convolutions, linear maps and the two products of attention, for one image and a context of 77 tokens, as many as CLIP's text model gives.</remarks>
internal sealed class UNetSummary
{
    private static readonly string[] s_header = ["block", "output", "parameters", "multiply-adds"];

    private UNetSummary(IReadOnlyList<UNetSummaryRow> rows) => Rows = rows;

    /// <summary>One row a block, from the input to the output.</summary>
    internal IReadOnlyList<UNetSummaryRow> Rows { get; }

    /// <summary>All parameters, as <see cref="UNet.ParameterCount"/> has them.</summary>
    public long Parameters => Rows.Sum(row => row.Parameters);

    /// <summary>All multiply-adds for one image.</summary>
    public long MultiplyAdds => Rows.Sum(row => row.MultiplyAdds);

    /// <summary>Counts.</summary>
    /// <param name="options">A block list.</param>
    /// <returns>The summary.</returns>
    /// <exception cref="ArgumentException">The blocks do not fit together; the message lists every mistake.</exception>
    public static UNetSummary Of(UNetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfInvalid();
        return new UNetSummary([.. UNetCosts.Rows(UNetPlan.Of(options))]);
    }

    /// <summary>The table as text.</summary>
    /// <returns>One line a block, and one for their sum.</returns>
    public override string ToString()
    {
        List<string[]> lines = [s_header];
        lines.AddRange(Rows.Select(row => Line(row.Block, row.Output.ToString(), row.Parameters, row.MultiplyAdds)));
        lines.Add(Line("total", string.Empty, Parameters, MultiplyAdds));
        int[] widths = [.. Enumerable.Range(0, 4).Select(column => lines.Max(line => line[column].Length))];
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(line[0].PadRight(widths[0])).Append("  ").Append(line[1].PadRight(widths[1]))
                .Append("  ").Append(line[2].PadLeft(widths[2])).Append("  ").Append(line[3].PadLeft(widths[3])).Append('\n');
        }

        return text.ToString();
    }

    private static string[] Line(string block, string output, long parameters, long multiplyAdds) =>
        [block, output, parameters.ToString("N0", CultureInfo.InvariantCulture), multiplyAdds.ToString("N0", CultureInfo.InvariantCulture)];
}
