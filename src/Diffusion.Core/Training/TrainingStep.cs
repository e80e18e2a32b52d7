namespace Diffusion;

/// <summary>What one optimizer step did.</summary>
/// <param name="Number">Steps done since the beginning of the run, from 1.</param>
/// <param name="Loss">The loss of the batch, before the update.</param>
/// <param name="Images">The number of images in the batch.</param>
/// <param name="LearningRate">The learning rate of the update.</param>
/// <param name="Duration">How long the step took, <see cref="DataWait"/> included.</param>
public sealed record TrainingStep(int Number, double Loss, int Images, double LearningRate, TimeSpan Duration)
{
    /// <summary>The Euclidean norm of all gradients together, before clipping.</summary>
    public double GradientNorm { get; init; }

    /// <summary>The loss of each image, weighed by its noise level but not by its importance.</summary>
    public IReadOnlyList<double> ImageLosses { get; init; } = [];

    /// <summary>The noise level of each image.</summary>
    public IReadOnlyList<NoiseLevel> Levels { get; init; } = [];

    /// <summary>How long the step waited for its images.</summary>
    public TimeSpan DataWait { get; init; }

    /// <summary>Whether the weights were left as they are, because the loss or a gradient was not a finite number (<see cref="OptimizerOptions.SkipNotFinite"/>).</summary>
    public bool Skipped { get; init; }
}
