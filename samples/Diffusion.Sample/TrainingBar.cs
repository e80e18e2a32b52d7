using System.Globalization;
using Diffusion.Observers;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>The live line of a training run: bar, mean loss of the last steps, of all images and by quarter of the timesteps, images a second, time left.</summary>
internal static class TrainingBar
{
    private const int Window = 50;

    public static void Show(Trainer trainer, int steps, Action<IProgress<TrainingStep>> train) =>
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .Start(context =>
            {
                var task = context.AddTask("Training", maxValue: steps);
                task.Value = trainer.StepsDone;
                var (losses, pace) = (new LossWindow(trainer.Denoiser.Schedule, Window), new Pace(steps));
                train(new Observer<TrainingStep>(step =>
                {
                    losses.Add(step);
                    pace.Add(step);
                    task.Description = Text(step.Number, steps, losses, pace);
                    task.Value = step.Number;
                }));
            });

    private static string Text(int step, int steps, LossWindow losses, Pace pace)
    {
        var quartiles = string.Join(' ', losses.Quartiles.Select(loss => loss?.ToString("F3", CultureInfo.InvariantCulture) ?? "-"));
        return FormattableString.Invariant(
            $"Step {step}/{steps}  loss {losses.Loss ?? double.NaN:F4} ({quartiles})  {pace.ImagesPerSecond:F0} images/s  {TimeSpan.FromSeconds(Math.Ceiling(pace.Left.TotalSeconds)):c} left");
    }
}
