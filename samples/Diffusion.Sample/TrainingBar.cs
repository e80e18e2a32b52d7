using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>The live line of a training run: bar, loss, images a second, time left.</summary>
internal static class TrainingBar
{
    public static void Show(int done, int steps, Action<IProgress<TrainingStep>> train) =>
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask("Training", maxValue: steps);
                task.Value = done;
                var (loss, speed) = (0.0, 0.0);
                train(new Observer<TrainingStep>(step =>
                {
                    loss = loss == 0 ? step.Loss : (0.95 * loss) + (0.05 * step.Loss); // smoothed: single batches differ much
                    speed = speed == 0 ? step.Images / step.Duration.TotalSeconds : (0.9 * speed) + (0.1 * step.Images / step.Duration.TotalSeconds);
                    task.Description = FormattableString.Invariant($"Step {step.Number}/{steps}  loss {loss:F4}  {speed:F0} images/s");
                    task.Value = step.Number;
                }));
            });
}
