namespace Diffusion;

/// <summary>Runs of the tiny network on random images, 30 steps of 4 images.</summary>
public static class TinyRun
{
    public const int Steps = 30;

    public static TrainerOptions Options { get; } = new() { Steps = Steps, BatchSize = 4, Seed = 3, LearningRate = 1e-2 };

    public static INoiseSchedule Schedule { get; } = NoiseSchedule.Linear();

    /// <summary>Trains, from the newest checkpoint of the folder on if there is one.</summary>
    /// <param name="observers">What watches.</param>
    /// <param name="folder">The folder of checkpoints; <see langword="null"/> for none.</param>
    /// <param name="stopAfter">Steps of this part of the run.</param>
    /// <returns>The hash of the weights after the run.</returns>
    public static string Train(IEnumerable<TrainingObserver> observers, string? folder = null, int? stopAfter = null, CancellationToken cancellation = default)
    {
        using var images = new MemoryImages();
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, Schedule, Options with { Checkpoints = new CheckpointOptions { Folder = folder, Every = 10 } });
        if (folder is not null)
        {
            trainer.Resume(folder);
        }

        foreach (var observer in observers)
        {
            trainer.Observers.Add(observer);
        }

        trainer.Fit(images, stopAfter: stopAfter, cancellationToken: cancellation);
        return string.Join(' ', network.parameters().SelectMany(parameter => parameter.data<float>().ToArray()).Select(BitConverter.SingleToUInt32Bits));
    }
}
