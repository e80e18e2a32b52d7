using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Diffusion.Observers;

/// <summary>The text of a report.</summary>
internal static class ReportPage
{
    private const string Style = """
        :root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #5b6570; --rule: #d7dce1; --c1: #1f6feb; --c2: #1a7f37; --c3: #bf5b00; --c4: #a626a4; }
        @media (prefers-color-scheme: dark) { :root { --back: #12161b; --text: #e6e9ec; --soft: #9aa5b1; --rule: #333b44; --c1: #6cb0ff; --c2: #56d37c; --c3: #ffab5e; --c4: #e39cf0; } }
        body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; max-width: 1500px; margin: 0 auto; padding: 1.5rem; }
        h1 { font-size: 1.5rem; margin: 0 0 1rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
        table { border-collapse: collapse; } th { text-align: left; font-weight: 500; color: var(--soft); padding: .1rem 1.2rem .1rem 0; vertical-align: top; } td { overflow-wrap: anywhere; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 1rem; margin-top: 1rem; } figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
        svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } svg .title { fill: var(--text); font-weight: 600; font-size: 14px; }
        .grid { stroke: var(--rule); fill: none; } .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; } .band { opacity: .22; stroke: none; }
        .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); } .line.c3 { stroke: var(--c3); } .line.c4 { stroke: var(--c4); } .line.c0 { stroke: var(--soft); opacity: .5; stroke-width: 1; }
        svg .band.c0 { fill: var(--soft); } svg circle.c1, svg .legend.c1 { fill: var(--c1); } svg circle.c2, svg .legend.c2 { fill: var(--c2); } svg circle.c3, svg .legend.c3 { fill: var(--c3); } svg circle.c4, svg .legend.c4 { fill: var(--c4); }
        .pictures { display: flex; flex-wrap: wrap; gap: 1rem; } .pictures img { max-width: 100%; display: block; image-rendering: pixelated; } figcaption { color: var(--soft); font-size: .85rem; }
        pre { overflow-x: auto; border: 1px solid var(--rule); border-radius: 6px; padding: .8rem; font-size: .85rem; } summary { cursor: pointer; font-weight: 600; margin-top: 2rem; }
        """;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n" };

    public static string Write(HtmlReportOptions options, ReportHistory history, IEnumerable<(string Name, string Value)> facts, TrainerOptions training)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{Encode(options.Title)}}</title>
            <style>
            {{Style}}
            </style>
            </head>
            <body>
            <h1>{{Encode(options.Title)}}</h1>
            <table>

            """);
        foreach (var (name, value) in facts)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>{Encode(name)}</th><td>{Encode(value)}</td></tr>\n");
        }

        page.Append("</table>\n<div class=\"charts\">\n").AppendJoin("", Charts(history)).Append("</div>\n");
        foreach (var (name, pictures) in history.Pictures())
        {
            Gallery(page, name, pictures);
        }

        var configuration = options.Configuration ?? JsonSerializer.Serialize(CheckpointManifest.ToJson(training), s_indented);
        return page.Append(CultureInfo.InvariantCulture, $"<details><summary>Configuration</summary>\n<pre>{Encode(configuration)}</pre></details>\n</body>\n</html>\n").ToString();
    }

    private static IEnumerable<string> Charts(ReportHistory history)
    {
        var validation = new[] { ValidationLoss.Name, ValidationLoss.RawName };
        yield return ReportChart.Draw("Loss",
        [
            new("each step", "c0", history.Loss.Points, Band: true),
            new("smoothed", "c1", history.Loss.Smoothed()),
            .. validation.Index().Where(name => history.Measurements.ContainsKey(name.Item))
                .Select(name => new ReportSeries(name.Index == 0 ? "validation" : "validation, raw weights", $"c{name.Index + 2}", history.Measurements[name.Item].Points)),
        ]);
        yield return ReportChart.Draw("Loss by quarter of the timesteps, smoothed",
            [.. history.Quartiles.Zip(["least noise", "second", "third", "most noise"]).Select((quarter, i) => new ReportSeries(quarter.Second, $"c{i + 1}", quarter.First.Smoothed()))]);
        yield return ReportChart.Draw("Learning rate", [new("", "c1", history.LearningRate.Points)]);
        yield return ReportChart.Draw("Norm of the gradients", [new("each step", "c0", history.GradientNorm.Points, Band: true), new("smoothed", "c1", history.GradientNorm.Smoothed())]);
        foreach (var (name, curve) in history.Measurements.Where(entry => !validation.Contains(entry.Key)).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            yield return ReportChart.Draw(name, [new("", "c1", curve.Points)]);
        }
    }

    private static void Gallery(StringBuilder page, string name, IReadOnlyList<TrainingPicture> pictures)
    {
        page.Append(CultureInfo.InvariantCulture, $"<h2>{Encode(name switch { "preview" => "Previews, averaged weights", "preview_raw" => "Previews, weights as trained", _ => name })}</h2>\n<div class=\"pictures\">\n");
        foreach (var picture in pictures)
        {
            page.Append(CultureInfo.InvariantCulture,
                $"<figure><img width=\"{picture.Width}\" height=\"{picture.Height}\" alt=\"{Encode(name)} after step {picture.Step}\" src=\"data:image/png;base64,{Convert.ToBase64String(picture.Png.Span)}\"><figcaption>step {picture.Step}</figcaption></figure>\n");
        }

        page.Append("</div>\n");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
