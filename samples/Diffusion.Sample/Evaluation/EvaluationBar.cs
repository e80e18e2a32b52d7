using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>The live lines of an evaluation: a bar for each set of images.</summary>
internal sealed class EvaluationBar(ProgressContext context) : IProgress<(string What, long Images)>
{
    private readonly Dictionary<string, ProgressTask> _tasks = [];

    public static T Show<T>(Func<EvaluationBar, T> work) =>
        AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context => work(new EvaluationBar(context)));

    /// <summary>Says how many images a set has, before it is measured.</summary>
    public ProgressTask Expect(string what, string text, long images) => _tasks[what] = context.AddTask(Markup.Escape(text), autoStart: false, maxValue: images);

    public void Report((string What, long Images) value) => Report(value.What, value.Images);

    public void Report(string what, double images)
    {
        if (_tasks.TryGetValue(what, out var task))
        {
            task.StartTask();
            task.Value = images;
        }
    }
}
