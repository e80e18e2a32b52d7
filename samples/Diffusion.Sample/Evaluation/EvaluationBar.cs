using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>What an evaluation is doing: a live bar for each set of images, or lines where the output is no terminal.</summary>
internal sealed class EvaluationBar : IProgress<(string What, long Images)>
{
    private const int Quarters = 4;

    private readonly Dictionary<string, (string Text, double Images)> _expected = [];
    private readonly ProgressContext? _context;
    private (string What, ProgressTask? Task, int Quarter)? _now;

    private EvaluationBar(ProgressContext? context) => _context = context;

    public static T Show<T>(Func<EvaluationBar, T> work) => Console.IsOutputRedirected
        ? work(new EvaluationBar(null))
        : AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context => work(new EvaluationBar(context)));

    /// <summary>Says how many images a set has, before it is measured.</summary>
    public void Expect(string what, string text, double images) => _expected[what] = (text, images);

    public void Report((string What, long Images) value) => Report(value.What, value.Images);

    public void Report(string what, double images)
    {
        if (!_expected.TryGetValue(what, out var set))
        {
            return;
        }

        if (_now?.What != what)
        {
            Begin(what, set.Text, set.Images);
        }

        var (_, task, before) = _now!.Value;
        var quarter = (int)(images * Quarters / set.Images);
        if (task is not null)
        {
            task.Value = images;
        }
        else if (quarter > before && quarter < Quarters)
        {
            Console.WriteLine($"{set.Text}: {100 * quarter / Quarters} %");
        }

        _now = (what, task, Math.Max(before, quarter));
    }

    /// <summary>Sets are measured one after another; of some only a part is needed.</summary>
    private void Begin(string what, string text, double images)
    {
        if (_now?.Task is { } last)
        {
            last.Value = last.MaxValue;
            last.StopTask();
        }

        if (_context is null)
        {
            Console.WriteLine(text);
        }

        _now = (what, _context?.AddTask(Markup.Escape(text), maxValue: images), 0);
    }
}
