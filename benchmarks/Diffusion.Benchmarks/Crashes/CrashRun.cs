namespace Diffusion.Benchmarks;

/// <summary>A run that does little but write checkpoints: <c>crash-run FOLDER STEPS</c> resumes it, says each step that it has done, and may be killed at any moment.</summary>
internal static class CrashRun
{
    public const string Verb = "crash-run";

    /// <summary>How many whole checkpoints are kept.</summary>
    public const int Keep = 3;

    private const int Every = 2;

    public static int Run(Arguments arguments)
    {
        if (arguments.Rest() is not [var folder, var steps])
        {
            throw new FormatException($"usage: {Verb} FOLDER STEPS");
        }

        Train(folder, int.Parse(steps, System.Globalization.CultureInfo.InvariantCulture), step => Console.WriteLine(step.Number));
        return 0;
    }

    /// <summary>Goes on with the run to its end.</summary>
    public static void Train(string folder, int steps, Action<TrainingStep> onStep)
    {
        using var network = new TinyNetwork();
        using var images = new MemoryImages();
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), new TrainerOptions
        {
            Steps = steps, BatchSize = 4, Seed = 3, LearningRate = 1e-3,
            Checkpoints = new CheckpointOptions { Folder = folder, Every = Every, Keep = Keep },
        });
        trainer.Resume();
        trainer.Fit(images, new Reporter(onStep));
    }

    private sealed class Reporter(Action<TrainingStep> onStep) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => onStep(value);
    }
}
