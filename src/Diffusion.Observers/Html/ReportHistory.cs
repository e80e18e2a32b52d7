using System.Globalization;

namespace Diffusion.Observers;

/// <summary>What a report has seen of a run, in bounded memory.</summary>
internal sealed class ReportHistory(int maxPictures)
{
    private readonly Dictionary<string, List<TrainingPicture>> _pictures = [];
    private readonly Dictionary<string, ReportCurve> _measurements = [];

    public ReportCurve Loss { get; } = new();

    public ReportCurve LearningRate { get; } = new();

    public ReportCurve GradientNorm { get; } = new();

    public IReadOnlyList<ReportCurve> Quartiles { get; } = [.. Enumerable.Range(0, TimestepQuartiles.Count).Select(_ => new ReportCurve())];

    public IReadOnlyDictionary<string, ReportCurve> Measurements => _measurements;

    /// <summary>The last of each measurement.</summary>
    public Dictionary<string, TrainingMeasurement> Last { get; } = [];

    public int Skipped { get; private set; }

    public void Add(StepRecord step)
    {
        Skipped += step.Skipped ? 1 : 0;
        Loss.Add(step.Step, step.Loss);
        LearningRate.Add(step.Step, step.LearningRate);
        GradientNorm.Add(step.Step, step.GradientNorm);
        foreach (var (curve, loss) in Quartiles.Zip(step.Quartiles))
        {
            curve.Add(step.Step, loss ?? double.NaN);
        }
    }

    public void Add(TrainingMeasurement measurement)
    {
        if (!_measurements.TryGetValue(measurement.Name, out var curve))
        {
            _measurements.Add(measurement.Name, curve = new ReportCurve());
        }

        curve.Add(measurement.Step, measurement.Value);
        Last[measurement.Name] = measurement;
    }

    public void Add(TrainingPicture picture)
    {
        if (!_pictures.TryGetValue(picture.Name, out var pictures))
        {
            _pictures.Add(picture.Name, pictures = []);
        }

        if (pictures.Count >= 4 * maxPictures)
        {
            _pictures[picture.Name] = pictures = [.. pictures.Where((_, i) => i % 2 == 0)];
        }

        pictures.Add(picture);
    }

    /// <summary>Pictures of each name, evenly over the run, the last one among them.</summary>
    public IEnumerable<(string Name, IReadOnlyList<TrainingPicture> Pictures)> Pictures() => _pictures.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry =>
    {
        var (all, count) = (entry.Value, Math.Min(maxPictures, entry.Value.Count));
        return (entry.Key, (IReadOnlyList<TrainingPicture>)[.. Enumerable.Range(1, count).Select(i => all[(int)Math.Ceiling((double)i * all.Count / count) - 1])]);
    });

    /// <summary>Takes in what an earlier process wrote of the steps that count.</summary>
    public void Read(HtmlReportOptions options, int steps)
    {
        if (steps == 0)
        {
            return;
        }

        foreach (var step in options.StepsFile is { } file ? CsvLog.Read(file).Where(step => step.Step <= steps) : [])
        {
            Add(step);
        }

        foreach (var measurement in options.MeasurementsFile is { } file ? MeasurementLog.Read(file).Where(measurement => measurement.Step <= steps) : [])
        {
            Add(measurement);
        }

        foreach (var (path, step, name) in options.PicturesFolder is { } folder ? Files(folder).Where(picture => picture.Step <= steps) : [])
        {
            Add(new TrainingPicture(step, name, File.ReadAllBytes(path)));
        }
    }

    private static IEnumerable<(string Path, int Step, string Name)> Files(string folder)
    {
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder, "step-*.png").Order(StringComparer.Ordinal).ToArray() : [])
        {
            var parts = Path.GetFileNameWithoutExtension(path).Split('-', 3);
            if (int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var step))
            {
                yield return (path, step, parts.Length > 2 ? $"preview_{parts[2]}" : "preview");
            }
        }
    }
}
