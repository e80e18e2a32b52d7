namespace Diffusion.Observers.Tests;

/// <summary>Measures something before the first step: 3.</summary>
internal sealed class MeasuresAtStart : TrainingObserver
{
    public override void OnStart(Trainer trainer, IImageSource images) => trainer.Report("late", 3);
}
