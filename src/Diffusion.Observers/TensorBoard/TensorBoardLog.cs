namespace Diffusion.Observers;

/// <summary>
/// Writes event files that TensorBoard shows (<c>tensorboard --logdir FOLDER</c>): every so many steps <c>loss</c> and <c>loss_q1</c> to <c>loss_q4</c>, means since the last
/// write, <c>gradient_norm</c>, <c>learning_rate</c>, <c>parameter_norm</c> and <c>images_per_second</c>, and at once what observers measure and the pictures they make.
/// A resumed run begins a new file that says from which step on it counts.
/// </summary>
public sealed class TensorBoardLog : TrainingObserver, IDisposable
{
    private readonly string _folder;
    private readonly int _every;
    private readonly TimeProvider _clock;
    private EventFile? _file;
    private LossWindow? _losses;
    private int _steps;
    private (long Images, TimeSpan Time) _sinceWrite;

    /// <summary>Makes an observer; a file is begun when training starts.</summary>
    /// <param name="folder">The folder of the run's event files, made if need be.</param>
    /// <param name="every">Steps from one write to the next, at least 1; 10 by default. The last step has one in any case.</param>
    /// <param name="clock">Gives the times of events; that of the system by default.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="every"/> is less than 1.</exception>
    public TensorBoardLog(string folder, int every = 10, TimeProvider? clock = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        (_folder, _every, _clock) = (folder, every, clock ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(images);
        Dispose();
        (_steps, _sinceWrite) = (trainer.Options.StepsFor(images.Count), default);
        _losses = new LossWindow(trainer.Denoiser.Schedule, _every);
        _file = new EventFile(_folder, trainer.StepsDone + 1, _clock);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(step);
        _losses?.Add(step);
        _sinceWrite = (_sinceWrite.Images + step.Images, _sinceWrite.Time + step.Duration);
        if (step.Number % _every == 0 || step.Number == _steps)
        {
            _file?.Write(step.Number, [.. Scalars(trainer, step)]);
            _losses?.Clear();
            _sinceWrite = default;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnMeasurement(Trainer trainer, TrainingMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        _file?.Write(measurement.Step, [(measurement.Name, measurement.Value)]);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnPicture(Trainer trainer, TrainingPicture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        _file?.Write(picture);
    }

    /// <inheritdoc/>
    public override void OnEnd(Trainer trainer, Exception? failure) => Dispose();

    /// <summary>Closes the file, as the end of training does; training again opens it again.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private IEnumerable<(string Name, double Value)> Scalars(Trainer trainer, TrainingStep step)
    {
        yield return ("gradient_norm", step.GradientNorm);
        yield return ("learning_rate", step.LearningRate);
        yield return ("parameter_norm", trainer.ParameterNorm());
        if (_sinceWrite.Time > TimeSpan.Zero)
        {
            yield return ("images_per_second", _sinceWrite.Images / _sinceWrite.Time.TotalSeconds);
        }

        if (_losses?.Loss is { } loss)
        {
            yield return ("loss", loss);
        }

        foreach (var (i, quartile) in (_losses?.Quartiles ?? []).Index())
        {
            if (quartile is { } mean)
            {
                yield return (StepRecord.QuartileName(i + 1), mean);
            }
        }
    }
}
