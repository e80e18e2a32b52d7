namespace Diffusion;

/// <summary>Keeps what an observer is told.</summary>
public sealed class Recorder : TrainingObserver
{
    public List<TrainingStep> Steps { get; } = [];

    public List<TrainingMeasurement> Measurements { get; } = [];

    public List<TrainingPicture> Pictures { get; } = [];

    public List<Exception?> Ends { get; } = [];

    /// <summary>Called after each step.</summary>
    public Action<Trainer, TrainingStep>? Then { get; init; }

    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        Steps.Add(step);
        Then?.Invoke(trainer, step);
    }

    public override void OnMeasurement(Trainer trainer, TrainingMeasurement measurement) => Measurements.Add(measurement);

    public override void OnPicture(Trainer trainer, TrainingPicture picture) => Pictures.Add(picture);

    public override void OnEnd(Trainer trainer, Exception? failure) => Ends.Add(failure);
}
