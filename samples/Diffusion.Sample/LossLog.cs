using System.Globalization;

namespace Diffusion.Sample;

/// <summary>The loss of every step of a run, kept in a CSV file so that a resumed run has them all.</summary>
internal sealed class LossLog
{
    private const string Header = "step,loss";

    private readonly string _path;
    private readonly List<(int Step, double Loss)> _losses = [];

    private LossLog(string path) => _path = path;

    public IReadOnlyList<(int Step, double Loss)> Losses => _losses;

    /// <summary>Opens the log of a run that goes on after a step; lines of later steps, which are done again, are dropped.</summary>
    public static LossLog Open(string path, int step)
    {
        var log = new LossLog(path);
        foreach (var line in step > 0 && File.Exists(path) ? File.ReadLines(path) : [])
        {
            var fields = line.Split(',');
            if (fields.Length == 2
                && int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && double.TryParse(fields[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var loss)
                && number <= step)
            {
                log._losses.Add((number, loss));
            }
        }

        return log;
    }

    public void Add(TrainingStep step) => _losses.Add((step.Number, step.Loss));

    public void Save() => AtomicFile.WriteText(
        _path, string.Join('\n', _losses.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Step},{entry.Loss:R}")).Prepend(Header)) + "\n");
}
