namespace Diffusion.Observers;

/// <summary>
/// Writes a line for each step to a CSV file: step, loss, learning rate, norm of the gradients, mean loss in each quarter of the timesteps (empty where the batch has no
/// image), whether the step was skipped. A line is written before the checkpoint of its step, and lines of steps that are done again are dropped, so that a run that was
/// killed and resumed ends with the same bytes. Add it before observers that may fail.
/// </summary>
public sealed class CsvLog : TrainingObserver, IDisposable
{
    private readonly string _path;
    private TimestepQuartiles? _quartiles;
    private CsvFile? _file;

    /// <summary>Makes an observer; the file is opened when training starts.</summary>
    /// <param name="path">The file, made with its folder if need be.</param>
    public CsvLog(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
    }

    /// <summary>The file.</summary>
    public string LogFile => _path;

    /// <summary>Reads the whole lines of a log, one after the other.</summary>
    /// <param name="path">The file; it may be one that is being written.</param>
    /// <returns>The steps; none where there is no file.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<StepRecord> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return CsvFile.Read(path, StepRecord.Columns).Select(StepRecord.Parse).OfType<StepRecord>();
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        Dispose();
        _quartiles = new TimestepQuartiles(trainer.Denoiser.Schedule);
        _file = new CsvFile(_path, StepRecord.Columns, trainer.StepsDone);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _file?.Append(StepRecord.Of(step, _quartiles!).Fields());
    }

    /// <inheritdoc/>
    public override void OnEnd(Trainer trainer, Exception? failure) => Dispose();

    /// <summary>Closes the file, as the end of training does; training again opens it again.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }
}
