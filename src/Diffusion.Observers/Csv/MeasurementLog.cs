namespace Diffusion.Observers;

/// <summary>Writes what observers measure, such as the held-out loss, to a CSV file: step, name, value. Resuming is as for <see cref="CsvLog"/>.</summary>
public sealed class MeasurementLog : TrainingObserver, IDisposable
{
    private static readonly string[] s_columns = ["step", "name", "value"];

    private readonly string _path;
    private CsvFile? _file;

    /// <summary>Makes an observer; the file is opened when training starts.</summary>
    /// <param name="path">The file, made with its folder if need be.</param>
    public MeasurementLog(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
    }

    /// <summary>The file.</summary>
    public string LogFile => _path;

    /// <summary>Reads the whole lines of a log, one after the other.</summary>
    /// <param name="path">The file; it may be one that is being written.</param>
    /// <returns>The measurements; none where there is no file.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<TrainingMeasurement> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return from fields in CsvFile.Read(path, s_columns)
               let step = CsvFile.Number(fields[0])
               let value = CsvFile.Number(fields[2])
               where step is not null && value is not null
               select new TrainingMeasurement((int)step.Value, fields[1], value.Value);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        Dispose();
        _file = new CsvFile(_path, s_columns, trainer.StepsDone);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnMeasurement(Trainer trainer, TrainingMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        _file?.Append([CsvFile.Text(measurement.Step), measurement.Name, CsvFile.Text(measurement.Value)]);
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
