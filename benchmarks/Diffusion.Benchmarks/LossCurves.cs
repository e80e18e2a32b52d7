using System.Globalization;
using System.Text;

namespace Diffusion.Benchmarks;

/// <summary>Losses over steps as a picture (SVG).</summary>
internal static class LossCurves
{
    private const int Width = 800;
    private const int Height = 400;
    private const int Margin = 40;
    private static readonly string[] s_colors = ["#1f77b4", "#d62728"];

    /// <summary>Writes the running means of losses.</summary>
    /// <param name="path">The file.</param>
    /// <param name="window">The steps of a mean.</param>
    /// <param name="curves">Their names, and the loss of each step.</param>
    public static void Save(string path, int window, IReadOnlyList<(string Name, double[] Losses)> curves)
    {
        var means = curves.Select(curve => Enumerable.Range(0, curve.Losses.Length - window + 1).Select(i => curve.Losses.AsSpan(i, window).ToArray().Average()).ToArray()).ToArray();
        var top = 1.5 * means.Max(curve => curve.Order().ElementAt(curve.Length * 9 / 10)); // the first steps go beyond the picture
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"14\">\n<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>\n"));
        text.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Margin} {Margin}V{Height - Margin}H{Width - Margin}\" fill=\"none\" stroke=\"black\"/>\n");
        text.Append(CultureInfo.InvariantCulture, $"<text x=\"4\" y=\"{Margin - 8}\">{top:g3}</text><text x=\"{Width - (3 * Margin)}\" y=\"{Height - 12}\">{curves[0].Losses.Length} steps</text>\n");
        for (var i = 0; i < means.Length; i++)
        {
            var points = means[i].Select((mean, x) => string.Create(
                CultureInfo.InvariantCulture, $"{Margin + ((double)x / Math.Max(1, means[i].Length - 1) * (Width - (2 * Margin))):f1},{Height - Margin - (Math.Min(mean / top, 1) * (Height - (2 * Margin))):f1}"));
            text.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{string.Join(' ', points)}\" fill=\"none\" stroke=\"{s_colors[i % s_colors.Length]}\"/>\n");
            text.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - (4 * Margin)}\" y=\"{Margin + (20 * i)}\" fill=\"{s_colors[i % s_colors.Length]}\">{curves[i].Name}, mean of {window}</text>\n");
        }

        File.WriteAllText(path, text.Append("</svg>\n").ToString());
    }
}
