using System.Globalization;

namespace Diffusion.Sample;

/// <summary>The loss of every step of a run, written to a CSV file at once, so that a run that was killed and resumed has them all.</summary>
internal sealed class LossLog : IDisposable
{
    private const string Header = "step,loss";

    private readonly List<(int Step, double Loss)> _losses;
    private readonly StreamWriter _file;

    private LossLog(string path, List<(int Step, double Loss)> losses)
    {
        _losses = losses;
        AtomicFile.WriteText(path, string.Concat(losses.Select(Line).Prepend(Header + "\n")));
        _file = new StreamWriter(path, append: true) { AutoFlush = true };
    }

    public IReadOnlyList<(int Step, double Loss)> Losses => _losses;

    /// <summary>Opens the log of a run that goes on after a step; lines of later steps, which are done again, are dropped.</summary>
    public static LossLog Open(string path, int step)
    {
        var losses = new List<(int Step, double Loss)>();
        foreach (var line in step > 0 && File.Exists(path) ? File.ReadLines(path) : [])
        {
            var fields = line.Split(',');
            if (fields.Length == 2
                && int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && double.TryParse(fields[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var loss)
                && number <= step)
            {
                losses.Add((number, loss));
            }
        }

        return new LossLog(path, losses);
    }

    public void Add(TrainingStep step)
    {
        _losses.Add((step.Number, step.Loss));
        _file.Write(Line(_losses[^1]));
    }

    public void Dispose() => _file.Dispose();

    private static string Line((int Step, double Loss) entry) => string.Create(CultureInfo.InvariantCulture, $"{entry.Step},{entry.Loss:R}\n");
}
