using Diffusion.Observers;

namespace Diffusion.PublicApi.Tests;

/// <summary>Exports the weights each time the held-out loss is the lowest so far.</summary>
internal sealed class BestWeights(string folder) : TrainingObserver
{
    public TrainingMeasurement? Best { get; private set; }

    public override void OnMeasurement(Trainer trainer, TrainingMeasurement measurement)
    {
        if (measurement.Name == ValidationLoss.Name && (Best is null || measurement.Value < Best.Value))
        {
            Best = measurement;
            trainer.Export(folder);
        }
    }
}
