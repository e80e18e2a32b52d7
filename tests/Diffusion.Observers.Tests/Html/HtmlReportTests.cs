using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Diffusion.Observers.Tests;

public sealed partial class HtmlReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _heldOut = new(8);

    [Fact]
    public void Fit_AWholeRun_WritesOneFileThatNeedsNoOther()
    {
        var html = Run("whole");
        Assert.Contains("complete: 30 steps", html, StringComparison.Ordinal);
        Assert.Contains("40 of 1×4×4 from memory", System.Net.WebUtility.HtmlDecode(html), StringComparison.Ordinal);
        Assert.Contains(Path.Combine("whole-checkpoints", "step-00000030"), html, StringComparison.Ordinal);
        Assert.Contains("&quot;batchSize&quot;: 4", html, StringComparison.Ordinal);
        Assert.Contains("TorchSharp", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=\"(?!data:image/png;base64,)", html);
        Assert.DoesNotMatch(@"url\((?!#)|@import", html);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        Assert.Contains(Convert.ToBase64String(Png.Of(10, 2)), html, StringComparison.Ordinal);
        Assert.Equal(["Loss", "Loss by quarter of the timesteps, smoothed", "Learning rate", "Norm of the gradients", "speed"], Charts(html).Select(chart => chart.Attribute("aria-label")!.Value));
    }

    [Fact]
    public void Fit_StoppedAndResumed_ShowsTheWholeCurves()
    {
        var whole = Charts(Run("whole"));
        var first = Run("parts", stopAfter: 13);
        Assert.Contains("stopped after step 13 of 30", first, StringComparison.Ordinal);
        var html = Run("parts");
        Assert.Contains("<th>Resumed</th><td>after step 13</td>", html, StringComparison.Ordinal);
        Assert.Equal(whole.Select(chart => chart.ToString()), Charts(html).Select(chart => chart.ToString()));
        Assert.Contains("step 10</figcaption>", html, StringComparison.Ordinal); // of the first part
        Assert.Equal(6, Figures().Count(html));
    }

    [Fact]
    public void Fit_ResumedWithALogAmongTheObservers_ShowsTheWholeCurvesAndStaysWhenNothingIsLeftToDo()
    {
        using var images = new MemoryImages();
        Fit(stopAfter: 4, resume: false);
        Fit(stopAfter: null, resume: true);
        var html = File.ReadAllText(_folder.File("found.html"));
        Assert.Equal(9, Charts(html)[0].Descendants().Single(element => element.Attribute("class")?.Value == "line c0").Attribute("points")!.Value.Split(' ').Length);

        Fit(stopAfter: null, resume: true); // complete: no step
        Assert.Equal(html, File.ReadAllText(_folder.File("found.html")));

        void Fit(int? stopAfter, bool resume)
        {
            using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 9, BatchSize = 4, Checkpoints = new() { Folder = _folder.File("found") } });
            Assert.Equal(resume, trainer.Resume());
            using var log = new CsvLog(_folder.File("found.csv"));
            trainer.Observers.Add(log);
            trainer.Observers.Add(new HtmlReport(_folder.File("found.html")));
            trainer.Fit(images, stopAfter: stopAfter);
        }
    }

    /// <summary>A run that was cancelled after its last step, while something was measured, is complete once that is measured.</summary>
    [Fact]
    public void Fit_ResumedWithNothingLeftButAMeasurement_IsWrittenAnew()
    {
        using var images = new MemoryImages();
        using var cancellation = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Fit(new Recorder { Then = (_, step) => CancelAfter(step.Number) }));
        Assert.Contains("cancelled after step 9 of 9", File.ReadAllText(_folder.File("late.html")), StringComparison.Ordinal);
        Fit(new MeasuresAtStart());
        var html = File.ReadAllText(_folder.File("late.html"));
        Assert.Contains("complete: 9 steps", html, StringComparison.Ordinal);
        Assert.Contains("<th>late</th><td>3 after step 9</td>", html, StringComparison.Ordinal);

        void CancelAfter(int step)
        {
            if (step == 9)
            {
                cancellation.Cancel();
            }
        }

        void Fit(TrainingObserver observer)
        {
            using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 9, BatchSize = 4, Checkpoints = new() { Folder = _folder.File("late") } });
            trainer.Resume();
            using var log = new MeasurementLog(_folder.File("late.csv"));
            trainer.Observers.Add(log);
            trainer.Observers.Add(observer);
            trainer.Observers.Add(new HtmlReport(_folder.File("late.html")));
            trainer.Fit(images, cancellationToken: observer is Recorder ? cancellation.Token : CancellationToken.None);
        }
    }

    [Fact]
    public void Charts_CurveFarAboveTheOthers_IsInThePicture()
    {
        var (small, large) = (new ReportCurve(), new ReportCurve());
        for (var step = 1; step <= 100; step++)
        {
            small.Add(step, 0.01);
            large.Add(step, 0.5);
        }

        var chart = XElement.Parse(ReportChart.Draw("two", [new ReportSeries("small", "c0", small.Points), new ReportSeries("large", "c1", large.Points)]).Replace("<figure>", "", StringComparison.Ordinal).Replace("</figure>", "", StringComparison.Ordinal));
        var heights = chart.Descendants().Where(element => element.Attribute("class")?.Value.StartsWith("line", StringComparison.Ordinal) == true)
            .SelectMany(line => line.Attribute("points")!.Value.Split(' ')).Select(point => double.Parse(point.Split(',')[1], CultureInfo.InvariantCulture)).ToList();
        Assert.All(heights, height => Assert.InRange(height, 30, 270));
    }

    [Fact]
    public void Charts_OfARun_LieWithinThePicture()
    {
        var loss = Charts(Run("whole"))[0];
        var line = loss.Descendants().Single(element => element.Name.LocalName == "polyline" && element.Attribute("class")!.Value == "line c0");
        var points = line.Attribute("points")!.Value.Split(' ').Select(point => point.Split(',').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray()).ToList();
        Assert.Equal(TinyRun.Steps, points.Count);
        Assert.All(points, point => Assert.InRange(point[0], 64, 708));
        Assert.Equal(points.Select(point => point[0]).Order(), points.Select(point => point[0]));
        var losses = CsvLog.Read(_folder.File("whole.csv")).Select(step => step.Loss).ToList();
        var highest = points.MinBy(point => point[1])!;
        Assert.Equal(losses.IndexOf(losses.Max()), points.IndexOf(highest)); // up is more
    }

    [Fact]
    public void Fit_AnotherCulture_WritesTheSameNumbers()
    {
        var expected = Charts(Run("invariant")).Select(chart => chart.ToString());
        var culture = CultureInfo.CurrentCulture;
        string report;
        try
        {
            // For the thread that writes checkpoints, too.
            (CultureInfo.CurrentCulture, CultureInfo.DefaultThreadCurrentCulture) = (CommaCulture.Create(), CommaCulture.Create());
            report = Run("comma");
            Assert.Equal(TinyRun.Steps, CsvLog.Read(_folder.File("comma.csv")).Count());
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.DefaultThreadCurrentCulture) = (culture, null);
        }

        Assert.Equal(expected, Charts(report).Select(chart => chart.ToString()));
        foreach (var file in new[] { ".csv", "-measured.csv", "-checkpoints/step-00000030/manifest.json" })
        {
            Assert.Equal(File.ReadAllText(_folder.File($"invariant{file}")), File.ReadAllText(_folder.File($"comma{file}")));
        }
    }

    [Fact]
    public void Fit_CancelledOrFailed_StillWritesTheReport()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => TinyRun.Train(
            [new Recorder { Then = (_, step) => { if (step.Number == 5) { cancellation.Cancel(); } } }, new HtmlReport(_folder.File("cancelled.html"))], cancellation: cancellation.Token));
        Assert.Contains("cancelled after step 5 of 30", File.ReadAllText(_folder.File("cancelled.html")), StringComparison.Ordinal);

        Assert.Throws<InvalidOperationException>(() => TinyRun.Train(
            [new Recorder { Then = (_, step) => throw new InvalidOperationException("<b>no & more</b>") }, new HtmlReport(_folder.File("failed.html"))]));
        Assert.Contains("failed after step 1 of 30: &lt;b&gt;no &amp; more&lt;/b&gt;", File.ReadAllText(_folder.File("failed.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_NoPictures_AreRefused() =>
        Assert.Contains("MaxPictures", Assert.Throws<ArgumentException>(() => new HtmlReport("report.html", new HtmlReportOptions { MaxPictures = 0 })).Message, StringComparison.Ordinal);

    [Fact]
    public void ReportCurve_MillionsOfNumbers_KeepsTheirMeansAndEnds()
    {
        var curve = new ReportCurve();
        const int count = 1_234_567;
        for (var step = 1; step <= count; step++)
        {
            curve.Add(step, step == 777_777 ? 9 : step % 2);
        }

        curve.Add(count + 1, double.NaN);
        Assert.InRange(curve.Points.Count, 1, ReportCurve.MaxPoints);
        Assert.Equal(9, curve.Points.Max(point => point.Max));
        Assert.InRange(curve.Points[0].Step, 1, count / 500);
        Assert.InRange(curve.Points[^1].Step, count * 0.998, count);
        Assert.All(curve.Points.SkipLast(1), point => Assert.InRange(point.Mean, 0.49, 0.51));
        Assert.Equal(curve.Points.Select(point => point.Step).Order(), curve.Points.Select(point => point.Step));
    }

    public void Dispose()
    {
        _heldOut.Dispose();
        _folder.Dispose();
    }

    private string Run(string name, int? stopAfter = null)
    {
        var options = new HtmlReportOptions { StepsFile = _folder.File($"{name}.csv"), MeasurementsFile = _folder.File($"{name}-measured.csv"), PicturesFolder = _folder.File($"{name}-pictures") };
        using var steps = new CsvLog(options.StepsFile);
        using var measurements = new MeasurementLog(options.MeasurementsFile);
        var draws = new Recorder { Then = (trainer, step) => Draw(trainer, step.Number, options.PicturesFolder) };
        TinyRun.Train([steps, measurements, new ValidationLoss(_heldOut, 5, 8), draws, new HtmlReport(_folder.File($"{name}.html"), options)], _folder.File($"{name}-checkpoints"), stopAfter);
        return File.ReadAllText(_folder.File($"{name}.html"));
    }

    private static void Draw(Trainer trainer, int step, string folder)
    {
        trainer.Report("speed", step * 2);
        if (step % 10 == 0)
        {
            foreach (var (name, suffix) in new[] { ("preview", ""), ("preview_raw", "-raw") })
            {
                AtomicFile.Write(Path.Combine(folder, $"step-{step:D8}{suffix}.png"), stream => stream.Write(Png.Of(10, 2)));
                trainer.Report(new TrainingPicture(step, name, Png.Of(10, 2)));
            }
        }
    }

    private static List<XElement> Charts(string html) => [.. Pictures().Matches(html).Select(match => XElement.Parse(match.Value))];

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Pictures();

    [GeneratedRegex("<figcaption>")]
    private static partial Regex Figures();
}
