using System.Globalization;
using System.Net;
using System.Text;

namespace Diffusion.Observers;

/// <summary>Lines over the steps of a run as an SVG picture, in the colours of the page.</summary>
internal static class ReportChart
{
    private const double Width = 720;
    private const double Height = 300;
    private const double Left = 64;
    private const double Right = 12;
    private const double Top = 30;
    private const double Bottom = 30;
    private const double MaxOverMedian = 5; // what is higher is cut off, so that the first steps leave room for the others
    private const double Headroom = 1.04;

    /// <summary>The picture; empty where there is nothing to show.</summary>
    public static string Draw(string title, IReadOnlyList<ReportSeries> series)
    {
        var points = series.SelectMany(each => each.Points).ToList();
        if (points.Count == 0)
        {
            return "";
        }

        var steps = new Axis(Math.Min(1, points.Min(point => point.Step)), points.Max(point => point.Step), Left, Width - Right);
        var values = Values(series);
        var svg = new StringBuilder();
        svg.Append(Invariant($"<figure><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\"><text class=\"title\" x=\"{Left}\" y=\"16\">{WebUtility.HtmlEncode(title)}</text>"));
        svg.Append(Invariant($"<clipPath id=\"{Id(title)}\"><rect x=\"{Left}\" y=\"{Top}\" width=\"{Width - Left - Right}\" height=\"{Height - Top - Bottom}\"/></clipPath>"));
        foreach (var value in values.Ticks())
        {
            svg.Append(Invariant($"<path class=\"grid\" d=\"M{Left} {values.At(value):F1}H{Width - Right}\"/><text class=\"tick\" text-anchor=\"end\" x=\"{Left - 6}\" y=\"{values.At(value) + 4:F1}\">{value:G4}</text>"));
        }

        foreach (var step in steps.Ticks())
        {
            svg.Append(Invariant($"<text class=\"tick\" text-anchor=\"middle\" x=\"{steps.At(step):F1}\" y=\"{Height - Bottom + 18}\">{step:G6}</text>"));
        }

        svg.Append(Invariant($"<g clip-path=\"url(#{Id(title)})\">"));
        foreach (var each in series.Where(each => each.Points.Count > 0))
        {
            Draw(svg, each, steps, values);
        }

        Legend(svg.Append("</g>"), [.. series.Where(each => each.Points.Count > 0)]);
        return svg.Append("</svg></figure>\n").ToString();
    }

    private static void Draw(StringBuilder svg, ReportSeries series, Axis steps, Axis values)
    {
        if (series.Band)
        {
            var outline = series.Points.Select(point => (point.Step, point.Max)).Concat(series.Points.Reverse().Select(point => (point.Step, point.Min)));
            svg.Append(Invariant($"<polygon class=\"band {series.Style}\" points=\"{Path(outline)}\"/>"));
        }

        svg.Append(series.Points.Count == 1
            ? Invariant($"<circle class=\"{series.Style}\" r=\"2\" cx=\"{steps.At(series.Points[0].Step):F1}\" cy=\"{values.At(series.Points[0].Mean):F1}\"/>")
            : Invariant($"<polyline class=\"line {series.Style}\" points=\"{Path(series.Points.Select(point => (point.Step, point.Mean)))}\"/>"));

        string Path(IEnumerable<(double Step, double Value)> points) => string.Join(' ', points.Select(point => Invariant($"{steps.At(point.Step):F1},{values.At(point.Value):F1}")));
    }

    private static void Legend(StringBuilder svg, IReadOnlyList<ReportSeries> series)
    {
        var x = Width - Right;
        foreach (var each in series.Reverse())
        {
            svg.Append(Invariant($"<text class=\"legend {each.Style}\" text-anchor=\"end\" x=\"{x:F0}\" y=\"16\">{WebUtility.HtmlEncode(each.Name)}</text>"));
            x -= (7.2 * each.Name.Length) + 16;
        }
    }

    private static Axis Values(IEnumerable<ReportSeries> series)
    {
        var curves = series.Select(each => each.Points.Select(point => point.Mean).Order().ToList()).Where(means => means.Count > 0).ToList();
        return new Axis(Math.Min(0, curves.Min(means => means[0])), Math.Max(0, curves.Max(Highest)) * Headroom, Height - Bottom, Top);
    }

    /// <summary>What the picture needs to show of a curve: each has room, however small the others are.</summary>
    private static double Highest(List<double> means) => means[means.Count / 2] is > 0 and var median ? Math.Min(means[^1], MaxOverMedian * median) : means[^1];

    private static string Id(string title) => string.Concat(title.Where(char.IsAsciiLetterOrDigit));

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>Where numbers lie on the picture.</summary>
    private readonly record struct Axis(double Min, double Max, double From, double To)
    {
        private double Span => Max > Min ? Max - Min : 1;

        public double At(double value) => From + ((value - Min) / Span * (To - From));

        /// <summary>Round numbers, at most about six.</summary>
        public IEnumerable<double> Ticks()
        {
            var rough = Span / 5;
            var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            var step = power * (rough / power is var share && share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
            for (var i = Math.Ceiling(Min / step); i * step <= Min + (Span * 1.0001); i++)
            {
                yield return i * step;
            }
        }
    }
}
