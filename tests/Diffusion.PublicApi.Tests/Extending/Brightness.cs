using TorchSharp;

namespace Diffusion.PublicApi.Tests;

/// <summary>Reports the mean brightness of samples as "brightness".</summary>
internal sealed class Brightness(int every) : TrainingObserver
{
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        if (step.Number % every == 0)
        {
            using var images = new DpmSolverSampler(steps: 20).Sample(trainer.Ema.Limited(ImageLimit.Clip()), shape: [16, 1, 28, 28], seed: 0);
            using var mean = images.mean();
            trainer.Report("brightness", mean.item<float>());
        }
    }
}
