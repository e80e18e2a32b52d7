namespace Diffusion;

/// <summary>
/// Watches a run: derive, override what interests, and add it to <see cref="Trainer.Observers"/>. All methods are called by <see cref="Trainer.Fit"/>, on its
/// thread, between two steps, so they may sample from the trainer, evaluate it, save it and report to the other observers. What they throw ends the run, which is saved first.
/// </summary>
public abstract class TrainingObserver
{
    /// <summary>Training begins, or goes on: <see cref="Trainer.StepsDone"/> says after which step.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="images">The training images.</param>
    public virtual void OnStart(Trainer trainer, IImageSource images)
    {
    }

    /// <summary>A step was done.</summary>
    /// <param name="trainer">The trainer, with the weights after the step.</param>
    /// <param name="step">What the step did.</param>
    public virtual void OnStep(Trainer trainer, TrainingStep step)
    {
    }

    /// <summary>A checkpoint is on the disk, whole. It may be of an earlier step than the last one: writing goes on beside training.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    public virtual void OnCheckpoint(Trainer trainer, Checkpoint checkpoint)
    {
    }

    /// <summary>An observer, or the program, measured something: <see cref="Trainer.Report(string, double)"/>.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="measurement">What, after which step, and its value.</param>
    public virtual void OnMeasurement(Trainer trainer, TrainingMeasurement measurement)
    {
    }

    /// <summary>An observer, or the program, made a picture: <see cref="Trainer.Report(TrainingPicture)"/>.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="picture">The picture.</param>
    public virtual void OnPicture(Trainer trainer, TrainingPicture picture)
    {
    }

    /// <summary>Training ends: the run is complete, stopped, cancelled or failed. The last checkpoint is written.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="failure">Why it ends before its time, an <see cref="OperationCanceledException"/> among others; <see langword="null"/> if it does not.</param>
    public virtual void OnEnd(Trainer trainer, Exception? failure)
    {
    }
}
