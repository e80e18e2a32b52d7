namespace Diffusion;

/// <summary>What one optimizer step did.</summary>
/// <param name="Number">Steps done since the beginning of the run, from 1.</param>
/// <param name="Loss">The loss of the batch, before the update.</param>
/// <param name="Images">The number of images in the batch.</param>
/// <param name="LearningRate">The learning rate of the update.</param>
/// <param name="Duration">How long the step took, reading the images included.</param>
public sealed record TrainingStep(int Number, double Loss, int Images, double LearningRate, TimeSpan Duration)
{
    /// <summary>How much of <see cref="Duration"/> went by waiting for the images.</summary>
    public TimeSpan Waited { get; init; }
}
