using System.Globalization;

namespace Diffusion.Observers;

/// <summary>A step as <see cref="CsvLog"/> writes it: what is the same each time the run is done.</summary>
/// <param name="Step">The number of the step, from 1.</param>
/// <param name="Loss">The loss of the batch.</param>
/// <param name="LearningRate">The learning rate; not a number where a file has no such column.</param>
/// <param name="GradientNorm">The norm of all gradients before clipping; not a number where a file has no such column.</param>
/// <param name="Quartiles">The mean loss in each quarter of the timesteps, from the least noise to the most; <see langword="null"/> where the batch has no image.</param>
/// <param name="Skipped">Whether the weights were left as they are.</param>
public sealed record StepRecord(int Step, double Loss, double LearningRate, double GradientNorm, IReadOnlyList<double?> Quartiles, bool Skipped)
{
    internal static IReadOnlyList<string> Columns { get; } =
        ["step", "loss", "learning_rate", "gradient_norm", .. Enumerable.Range(1, TimestepQuartiles.Count).Select(QuartileName), "skipped"];

    internal static string QuartileName(int quarter) => string.Create(CultureInfo.InvariantCulture, $"loss_q{quarter}");

    internal static StepRecord Of(TrainingStep step, TimestepQuartiles quartiles) =>
        new(step.Number, step.Loss, step.LearningRate, step.GradientNorm, quartiles.Means(step), step.Skipped);

    internal IReadOnlyList<string> Fields() =>
        [CsvFile.Text(Step), CsvFile.Text(Loss), CsvFile.Text(LearningRate), CsvFile.Text(GradientNorm), .. Quartiles.Select(CsvFile.Text), Skipped ? "1" : "0"];

    /// <summary>The record of a line; <see langword="null"/> where it has no step or loss.</summary>
    internal static StepRecord? Parse(IReadOnlyList<string> fields) => CsvFile.Number(fields[0]) is { } step && CsvFile.Number(fields[1]) is { } loss
        ? new StepRecord((int)step, loss, CsvFile.Number(fields[2]) ?? double.NaN, CsvFile.Number(fields[3]) ?? double.NaN, [.. fields.Skip(4).Take(TimestepQuartiles.Count).Select(CsvFile.Number)], fields[^1] == "1")
        : null;
}
