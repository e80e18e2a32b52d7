namespace Diffusion.Observers;

/// <summary>
/// Writes one HTML file when training ends, also by a failure or when it is cancelled: curves of the loss, by quarter of the timesteps too, of learning rate, gradients and
/// what observers measured, the pictures they made, the configuration and the machine. It needs no other file and no network. Add it after the observers that it reports.
/// </summary>
public sealed class HtmlReport : TrainingObserver
{
    private readonly string _path;
    private readonly HtmlReportOptions _options;
    private readonly TimeProvider _clock;
    private Session? _session;
    private int _measurements; // in this call of Fit, those before its first step among them

    /// <summary>Makes an observer.</summary>
    /// <param name="path">The file to write, made with its folder if need be; it is whole or absent.</param>
    /// <param name="options">What it shows besides; the defaults if <see langword="null"/>.</param>
    /// <param name="clock">The clock; that of the system by default.</param>
    /// <exception cref="ArgumentException">The options have mistakes.</exception>
    public HtmlReport(string path, HtmlReportOptions? options = null, TimeProvider? clock = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (_path, _options, _clock) = (path, options ?? new HtmlReportOptions(), clock ?? TimeProvider.System);
        _options.ThrowIfInvalid(nameof(options));
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">A file of the earlier steps cannot be read.</exception>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(images);
        var steps = trainer.Options.StepsFor(images.Count);
        _session = new Session(
            trainer.StepsDone,
            steps,
            $"{images.Count} of {images.Shape} from {images.Name}",
            _clock.GetUtcNow(),
            new TrainingPace(steps, _clock),
            new TimestepQuartiles(trainer.Denoiser.Schedule),
            new ReportHistory(_options.MaxPictures));
        _session.History.Read(
            _options with
            {
                StepsFile = _options.StepsFile ?? trainer.Observers.OfType<CsvLog>().FirstOrDefault()?.LogFile,
                MeasurementsFile = _options.MeasurementsFile ?? trainer.Observers.OfType<MeasurementLog>().FirstOrDefault()?.LogFile,
            },
            trainer.StepsDone);
    }

    /// <inheritdoc/>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_session is { } session)
        {
            session.Pace.Add(step);
            session.History.Add(StepRecord.Of(step, session.Quartiles));
        }
    }

    /// <inheritdoc/>
    public override void OnMeasurement(Trainer trainer, TrainingMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        _measurements++;
        _session?.History.Add(measurement);
    }

    /// <inheritdoc/>
    public override void OnPicture(Trainer trainer, TrainingPicture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        _session?.History.Add(picture);
    }

    /// <inheritdoc/>
    public override void OnCheckpoint(Trainer trainer, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (_session is { } session)
        {
            session.LastCheckpoint = checkpoint.Folder;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public override void OnEnd(Trainer trainer, Exception? failure)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        var nothingNew = failure is null && _measurements == 0 && trainer.StepsDone == _session?.StepsBefore && File.Exists(_path); // the report of a run that was complete stays
        _measurements = 0;
        if (_session is { } session && !nothingNew)
        {
            AtomicFile.WriteText(_path, ReportPage.Write(_options, session.History, Facts(trainer, session, failure), trainer.Options));
        }
    }

    private IEnumerable<(string Name, string Value)> Facts(Trainer trainer, Session session, Exception? failure)
    {
        yield return ("Outcome", failure switch
        {
            OperationCanceledException => $"cancelled after step {trainer.StepsDone} of {session.Steps}",
            { } error => $"failed after step {trainer.StepsDone} of {session.Steps}: {error.Message}",
            null when trainer.StepsDone < session.Steps => $"stopped after step {trainer.StepsDone} of {session.Steps}",
            null => $"complete: {session.Steps} steps",
        });
        yield return ("Images", session.Images);
        if (session.StepsBefore > 0)
        {
            yield return ("Resumed", $"after step {session.StepsBefore}");
        }

        yield return ("Begun", FormattableString.Invariant($"{session.Begun:yyyy-MM-dd HH:mm:ss} UTC"));
        yield return ("Duration", FormattableString.Invariant($"{TimeSpan.FromSeconds(Math.Round(session.Pace.Elapsed.TotalSeconds)):c}, {session.Pace.ImagesPerSecond:F0} images/s"));
        foreach (var last in session.History.Last.Values)
        {
            yield return (last.Name, FormattableString.Invariant($"{last.Value:G6} after step {last.Step}"));
        }

        if (session.History.Skipped > 0)
        {
            yield return ("Skipped steps", FormattableString.Invariant($"{session.History.Skipped}"));
        }

        if (session.LastCheckpoint is { } checkpoint)
        {
            yield return ("Last checkpoint", Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(_path))!, checkpoint));
        }

        foreach (var fact in RunEnvironment.Facts(trainer.Denoiser.Device))
        {
            yield return fact;
        }
    }

    /// <summary>One call of <see cref="Trainer.Fit"/>.</summary>
    private sealed record Session(
        int StepsBefore, int Steps, string Images, DateTimeOffset Begun, TrainingPace Pace, TimestepQuartiles Quartiles, ReportHistory History)
    {
        public string? LastCheckpoint { get; set; }
    }
}
