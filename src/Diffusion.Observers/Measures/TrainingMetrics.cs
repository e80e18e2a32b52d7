using System.Diagnostics.Metrics;

namespace Diffusion.Observers;

/// <summary>
/// Publishes a run as metrics of <c>System.Diagnostics.Metrics</c>, meter <see cref="MeterName"/>, for OpenTelemetry, <c>dotnet-counters</c> or a listener of your own.
/// Without a listener nothing is measured. Instruments begin with <c>diffusion.training.</c>: counters <c>steps</c>, <c>steps.skipped</c>, <c>images</c>,
/// <c>checkpoints</c>; histograms <c>step.duration</c> and <c>data.wait</c>, in seconds; gauges <c>loss</c>, <c>gradient_norm</c>, <c>learning_rate</c>, and
/// <c>measurement</c> with the tag <c>name</c> for what observers measure.
/// </summary>
public sealed class TrainingMetrics : TrainingObserver
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Diffusion.Training";

    private const string Prefix = "diffusion.training.";

    private static readonly Meter s_shared = new(MeterName);

    private readonly Counter<long> _steps;
    private readonly Counter<long> _skipped;
    private readonly Counter<long> _images;
    private readonly Counter<long> _checkpoints;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _wait;
    private readonly Gauge<double> _loss;
    private readonly Gauge<double> _gradientNorm;
    private readonly Gauge<double> _learningRate;
    private readonly Gauge<double> _measurement;

    /// <summary>Makes an observer.</summary>
    /// <param name="factory">Makes the meter, as in a program with dependency injection; by default one meter serves the whole process.</param>
    public TrainingMetrics(IMeterFactory? factory = null)
    {
        var meter = factory?.Create(MeterName) ?? s_shared;
        _steps = meter.CreateCounter<long>(Prefix + "steps", "{step}", "Steps done");
        _skipped = meter.CreateCounter<long>(Prefix + "steps.skipped", "{step}", "Steps whose loss or gradient was not a finite number");
        _images = meter.CreateCounter<long>(Prefix + "images", "{image}", "Images trained on");
        _checkpoints = meter.CreateCounter<long>(Prefix + "checkpoints", "{checkpoint}", "Checkpoints written");
        _duration = meter.CreateHistogram<double>(Prefix + "step.duration", "s", "Duration of a step, with the wait for its images");
        _wait = meter.CreateHistogram<double>(Prefix + "data.wait", "s", "How long a step waited for its images");
        _loss = meter.CreateGauge<double>(Prefix + "loss", null, "Loss of the last step");
        _gradientNorm = meter.CreateGauge<double>(Prefix + "gradient_norm", null, "Norm of all gradients of the last step, before clipping");
        _learningRate = meter.CreateGauge<double>(Prefix + "learning_rate", null, "Learning rate of the last step");
        _measurement = meter.CreateGauge<double>(Prefix + "measurement", null, "What observers measured last, by name");
    }

    /// <inheritdoc/>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _steps.Add(1);
        _images.Add(step.Images);
        _duration.Record(step.Duration.TotalSeconds);
        _wait.Record(step.DataWait.TotalSeconds);
        _loss.Record(step.Loss);
        _gradientNorm.Record(step.GradientNorm);
        _learningRate.Record(step.LearningRate);
        if (step.Skipped)
        {
            _skipped.Add(1);
        }
    }

    /// <inheritdoc/>
    public override void OnCheckpoint(Trainer trainer, Checkpoint checkpoint) => _checkpoints.Add(1);

    /// <inheritdoc/>
    public override void OnMeasurement(Trainer trainer, TrainingMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        _measurement.Record(measurement.Value, new KeyValuePair<string, object?>("name", measurement.Name));
    }
}
