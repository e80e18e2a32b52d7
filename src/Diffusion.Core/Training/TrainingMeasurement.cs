namespace Diffusion;

/// <summary>A number that an observer found out about a run, such as a held-out loss: what <see cref="Trainer.Report(string, double)"/> passes on to all observers.</summary>
/// <param name="Step">The step after which it was measured.</param>
/// <param name="Name">What it is, in lower case with underscores: <c>validation_loss</c>.</param>
/// <param name="Value">The number; it may be infinite or not a number.</param>
public sealed record TrainingMeasurement(int Step, string Name, double Value);
