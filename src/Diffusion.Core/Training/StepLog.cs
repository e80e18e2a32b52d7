using Microsoft.Extensions.Logging;

namespace Diffusion;

/// <summary>Logs the loss, images a second and the time left from time to time, checkpoints, skipped steps, and what observers measure.</summary>
public sealed partial class StepLog : TrainingObserver
{
    private readonly ILogger _logger;
    private readonly int _every;
    private readonly TimeProvider? _clock;
    private int _steps;
    private TrainingPace? _pace;

    /// <summary>Makes an observer.</summary>
    /// <param name="logger">Where the lines go.</param>
    /// <param name="every">Steps between lines, at least 1; 100 by default. The last step has one in any case.</param>
    /// <param name="clock">The clock; that of the system by default.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="every"/> is less than 1.</exception>
    public StepLog(ILogger logger, int every = 100, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(logger);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        (_logger, _every, _clock) = (logger, every, clock);
    }

    /// <inheritdoc/>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(images);
        _steps = trainer.Options.StepsFor(images.Count);
        _pace = new TrainingPace(_steps, _clock);
    }

    /// <inheritdoc/>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _pace?.Add(step);
        if (step.Skipped)
        {
            LogSkipped(step.Number, step.Loss, step.GradientNorm);
        }

        if (_pace is { } pace && (step.Number % _every == 0 || step.Number == _steps))
        {
            var left = TimeSpan.FromSeconds(Math.Ceiling(pace.Left?.TotalSeconds ?? 0));
            LogStep(step.Number, _steps, step.Loss, pace.ImagesPerSecond, left);
        }
    }

    /// <inheritdoc/>
    public override void OnCheckpoint(Trainer trainer, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        LogSaved(checkpoint.Folder);
    }

    /// <inheritdoc/>
    public override void OnMeasurement(Trainer trainer, TrainingMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        LogMeasurement(measurement.Step, measurement.Name, measurement.Value);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Step {Step} of {Steps}: loss {Loss:F4}, {ImagesPerSecond:F0} images/s, {Left:c} left")]
    private partial void LogStep(int step, int steps, double loss, double imagesPerSecond, TimeSpan left);

    [LoggerMessage(Level = LogLevel.Information, Message = "Step {Step}: {Name} {Value:G6}")]
    private partial void LogMeasurement(int step, string name, double value);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Skipped step {Step}: its loss is {Loss} and the norm of its gradients {GradientNorm}")]
    private partial void LogSkipped(int step, double loss, double gradientNorm);

    [LoggerMessage(Level = LogLevel.Information, Message = "Saved {Folder}")]
    private partial void LogSaved(string folder);
}
