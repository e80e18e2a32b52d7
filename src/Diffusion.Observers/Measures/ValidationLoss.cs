namespace Diffusion.Observers;

/// <summary>
/// Measures the loss on images that are not trained on, at noise and timesteps that are the same each time: with the averaged weights, reported as
/// <c>validation_loss</c>, and with the weights themselves, <c>validation_loss_raw</c>. A resumed run measures the same values.
/// </summary>
public sealed class ValidationLoss : TrainingObserver
{
    /// <summary>The name of the measurement with the averaged weights.</summary>
    public const string Name = "validation_loss";

    /// <summary>The name of the measurement with the weights themselves.</summary>
    public const string RawName = "validation_loss_raw";

    private readonly IImageSource _images;
    private readonly int _every;
    private readonly int _count;
    private readonly long _seed;
    private readonly List<ValidationResult> _results = [];
    private int _steps;

    /// <summary>Makes an observer.</summary>
    /// <param name="images">The held-out images, of the shape of the training images. The caller keeps owning them.</param>
    /// <param name="every">Steps from one evaluation to the next, at least 1. The last step of the run has one in any case.</param>
    /// <param name="count">How many of the images, from the first, at least 1; 512 by default. Two evaluations of the network for each; if that is a third of a training step, they cost 2/3·count/batch size steps.</param>
    /// <param name="seed">The seed of noise and timesteps; 0 by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    public ValidationLoss(IImageSource images, int every, int count = 512, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (_images, _every, _count, _seed) = (images, every, count, seed);
    }

    /// <summary>The results since this process began, in order.</summary>
    public IReadOnlyList<ValidationResult> Results => _results;

    /// <inheritdoc/>
    public override void OnStart(Trainer trainer, IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(images);
        _steps = trainer.Options.StepsFor(images.Count);
        _results.RemoveAll(result => result.Step > trainer.StepsDone);
    }

    /// <inheritdoc/>
    public override void OnStep(Trainer trainer, TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(step);
        if (step.Number % _every != 0 && step.Number != _steps)
        {
            return;
        }

        var result = new ValidationResult(step.Number, trainer.Evaluate(_images, _count, averaged: true, _seed), trainer.Evaluate(_images, _count, averaged: false, _seed));
        _results.Add(result);
        trainer.Report(Name, result.Averaged);
        trainer.Report(RawName, result.Raw);
    }
}
