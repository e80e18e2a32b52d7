using Diffusion.Imaging;
using Diffusion.Observers;
using ScottPlot;

namespace Diffusion.Sample;

/// <summary>The loss over the steps of a run as a picture.</summary>
internal static class LossPlot
{
    private const int Window = 50;

    public static void Save(string path, IEnumerable<StepRecord> records)
    {
        var shown = records.Where(record => double.IsFinite(record.Loss)).ToList();
        if (shown.Count == 0)
        {
            return;
        }

        using var plot = new Plot();
        var steps = shown.Select(record => (double)record.Step).ToArray();
        var losses = shown.Select(record => record.Loss).ToArray();
        var each = plot.Add.ScatterLine(steps, losses, Colors.LightBlue);
        each.LegendText = "loss";
        var smooth = plot.Add.ScatterLine(steps, [.. losses.Select((_, i) => losses[Math.Max(0, i - Window + 1)..(i + 1)].Average())], Colors.DarkBlue);
        smooth.LegendText = $"mean of {Window} steps";
        smooth.LineWidth = 2;
        plot.XLabel("step");
        plot.YLabel("mean squared error");
        plot.Axes.SetLimitsY(0, Math.Min(losses.Max(), 4 * losses.Order().ElementAt(losses.Length / 2)));
        plot.ShowLegend();
        using var png = new MemoryStream(plot.GetImageBytes(800, 500, ImageFormat.Png));
        ImageFile.Save(path, ImageFile.DefaultCodec.Decode(png)); // whole, or not at all
    }
}
