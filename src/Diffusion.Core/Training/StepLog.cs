using Microsoft.Extensions.Logging;

namespace Diffusion;

/// <summary>Logs the loss from time to time, checkpoints, and skipped steps.</summary>
public sealed partial class StepLog : TrainingObserver
{
    private readonly ILogger _logger;
    private readonly int _every;
    private int _steps;

    /// <summary>Makes an observer.</summary>
    /// <param name="logger">Where the lines go.</param>
    /// <param name="every">Steps between lines, at least 1; 100 by default. The last step has one in any case.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="every"/> is less than 1.</exception>
    public StepLog(ILogger logger, int every = 100)
    {
        ArgumentNullException.ThrowIfNull(logger);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        (_logger, _every) = (logger, every);
    }

    /// <inheritdoc/>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(images);
        _steps = trainer.Options.StepsFor(images.Count);
    }

    /// <inheritdoc/>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (step.Skipped)
        {
            LogSkipped(step.Number, step.Loss, step.GradientNorm);
        }

        if (step.Number % _every == 0 || step.Number == _steps)
        {
            LogStep(step.Number, _steps, step.Loss, step.Images / step.Duration.TotalSeconds);
        }
    }

    /// <inheritdoc/>
    public override void OnCheckpoint(Trainer trainer, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        LogSaved(checkpoint.Folder);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Step {Step} of {Steps}: loss {Loss:F4}, {ImagesPerSecond:F0} images/s")]
    private partial void LogStep(int step, int steps, double loss, double imagesPerSecond);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Skipped step {Step}: its loss is {Loss} and the norm of its gradients {GradientNorm}")]
    private partial void LogSkipped(int step, double loss, double gradientNorm);

    [LoggerMessage(Level = LogLevel.Information, Message = "Saved {Folder}")]
    private partial void LogSaved(string folder);
}
