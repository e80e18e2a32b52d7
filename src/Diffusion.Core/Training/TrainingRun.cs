namespace Diffusion;

/// <summary>One call of <see cref="Trainer.Fit"/>: steps, and what happens between them.</summary>
internal sealed class TrainingRun(Trainer trainer, IImageSource images, CheckpointWriter? writer)
{
    private int _captured = trainer.StepsDone;
    private bool _cannotSave;

    public void Train(IEnumerable<TrainingStep> steps, IProgress<TrainingStep>? progress, CancellationToken cancellationToken)
    {
        writer?.Prepare();
        Tell(observer => observer.OnStart(trainer, images));
        try
        {
            foreach (var step in steps)
            {
                Tell(observer => observer.OnStep(trainer, step));
                progress?.Report(step);
                Save(step.Number);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        catch (Exception failure)
        {
            EndAfter(failure);
            throw;
        }

        End(null);
    }

    private void Save(int step)
    {
        if (writer is null)
        {
            return;
        }

        try
        {
            Saved(writer.Poll());
            if (step % trainer.Options.Checkpoints.Every == 0 || step % trainer.Options.Checkpoints.SnapshotEvery == 0)
            {
                Saved(writer.Begin(trainer.Capture()));
                _captured = step;
            }
        }
        catch (IOException)
        {
            _cannotSave = true;
            throw;
        }
    }

    private void EndAfter(Exception failure)
    {
        try
        {
            End(failure);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw failure is OperationCanceledException ? e : new AggregateException($"{failure.Message} The end of the run failed, too: {e.Message}", failure, e);
        }
    }

    /// <summary>Saves the last step, unless that is what failed, and tells the observers.</summary>
    private void End(Exception? failure)
    {
        if (writer is not null && !_cannotSave)
        {
            Saved(writer.Finish());
            if (_captured != trainer.StepsDone)
            {
                using var snapshot = trainer.Capture();
                Saved(writer.Write(snapshot));
            }
        }

        Tell(observer => observer.OnEnd(trainer, failure));
    }

    private void Saved(Checkpoint? checkpoint)
    {
        if (checkpoint is not null)
        {
            Tell(observer => observer.OnCheckpoint(trainer, checkpoint));
        }
    }

    private void Tell(Action<TrainingObserver> what)
    {
        foreach (var observer in trainer.Observers)
        {
            what(observer);
        }
    }
}
