using System.Diagnostics.Metrics;

namespace Diffusion.Observers.Tests;

public sealed class TrainingMetricsTests
{
    [Fact]
    public void Fit_WithAListener_PublishesCountersHistogramsAndGauges()
    {
        using var folder = new TemporaryFolder();
        using var factory = new OneMeter();
        var recorder = new Recorder { Then = (trainer, step) => trainer.Report("fid", step.Number) };
        var values = new Dictionary<string, List<double>>();
        using var listener = Listener(factory, (name, value, tags) => (values.TryGetValue(name, out var list) ? list : values[name] = []).Add(tags is "" or "fid" ? value : double.NaN));
        TinyRun.Train([new TrainingMetrics(factory), recorder], folder.Path);

        Assert.Equal(30, values["diffusion.training.steps"].Sum());
        Assert.Equal(120, values["diffusion.training.images"].Sum());
        Assert.Equal(3, values["diffusion.training.checkpoints"].Sum());
        Assert.Equal(recorder.Steps.Select(step => step.Duration.TotalSeconds), values["diffusion.training.step.duration"]);
        Assert.Equal(recorder.Steps.Select(step => step.DataWait.TotalSeconds), values["diffusion.training.data.wait"]);
        Assert.Equal(recorder.Steps.Select(step => step.Loss), values["diffusion.training.loss"]);
        Assert.Equal(recorder.Steps.Select(step => step.GradientNorm), values["diffusion.training.gradient_norm"]);
        Assert.Equal(recorder.Steps.Select(step => step.LearningRate), values["diffusion.training.learning_rate"]);
        Assert.Equal(Enumerable.Range(1, 30).Select(i => (double)i), values["diffusion.training.measurement"]);
        Assert.False(values.ContainsKey("diffusion.training.steps.skipped"));
    }

    [Fact]
    public void OnStep_SkippedStep_IsCounted()
    {
        using var factory = new OneMeter();
        using var trainer = new Trainer(new TinyNetwork(), TinyRun.Schedule);
        var skipped = 0.0;
        using var listener = Listener(factory, (name, value, _) => skipped += name.EndsWith("skipped", StringComparison.Ordinal) ? value : 0);
        new TrainingMetrics(factory).OnStep(trainer, new TrainingStep(1, double.NaN, 4, 1, default) { Skipped = true });
        Assert.Equal(1, skipped);
    }

    private static MeterListener Listener(OneMeter factory, Action<string, double, string> record)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == TrainingMetrics.MeterName && instrument.Meter.Scope == factory)
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => record(instrument.Name, value, Tag(tags)));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => record(instrument.Name, value, Tag(tags)));
        listener.Start();
        return listener;
    }

    private static string Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.Length == 0 ? "" : $"{(tags[0].Key == "name" ? tags[0].Value : "?")}";

    private sealed class OneMeter : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public Meter Create(MeterOptions options)
        {
            ArgumentNullException.ThrowIfNull(options);
            options.Scope = this;
            _meters.Add(new Meter(options));
            return _meters[^1];
        }

        public void Dispose() => _meters.ForEach(meter => meter.Dispose());
    }
}
