using System.Runtime.ExceptionServices;

namespace Diffusion;

/// <summary>One call of <see cref="Trainer.Fit"/>: steps, and what happens between them.</summary>
internal sealed class TrainingRun(Trainer trainer, IImageSource images, CheckpointWriter? writer)
{
    private int _captured = trainer.StepsDone;
    private bool _cannotSave;

    public void Train(IEnumerable<TrainingStep> steps, IProgress<TrainingStep>? progress, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            Tell(observer => observer.OnStart(trainer, images));
            foreach (var step in steps)
            {
                Tell(observer => observer.OnStep(trainer, step));
                progress?.Report(step);
                Save(step.Number);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        catch (Exception e) // thrown again when the run is saved
        {
            failure = e;
        }

        ThrowIfAny(failure, End(failure));
    }

    private void Save(int step)
    {
        if (writer is null)
        {
            return;
        }

        Saved(Written(writer.Poll));
        if (step % trainer.Options.Checkpoints.Every == 0 || step % trainer.Options.Checkpoints.SnapshotEvery == 0)
        {
            _captured = step;
            Saved(Written(() => writer.Begin(trainer.Capture())));
        }
    }

    /// <summary>Saves the last step, unless saving is what failed, and tells the observers. One failure does not keep the rest from being done.</summary>
    private List<Exception> End(Exception? failure)
    {
        List<Exception> failures = [];
        if (writer is not null && !_cannotSave)
        {
            Try(failures, () => Saved(Written(writer.Finish)));
            if (_captured != trainer.StepsDone || _cannotSave)
            {
                Try(failures, () =>
                {
                    using var snapshot = trainer.Capture();
                    Saved(Written(() => writer.Write(snapshot)));
                });
            }
        }

        var reason = failure ?? failures.FirstOrDefault();
        foreach (var observer in trainer.Observers)
        {
            Try(failures, () => observer.OnEnd(trainer, reason));
        }

        return failures;
    }

    /// <summary>What went wrong, as one exception: a cancelled run whose end failed has failed.</summary>
    private static void ThrowIfAny(Exception? failure, List<Exception> atEnd)
    {
        List<Exception> all = failure is null || (failure is OperationCanceledException && atEnd.Count > 0) ? atEnd : [failure, .. atEnd];
        if (all.Count == 1)
        {
            ExceptionDispatchInfo.Throw(all[0]);
        }

        if (all.Count > 1)
        {
            var (message, inner) = (string.Join(" Then: ", all.Select(each => each.Message)), new AggregateException(all));
            throw all.TrueForAll(each => each is IOException) ? new IOException(message, inner) : new AggregateException(message, all);
        }
    }

    private static void Try(List<Exception> failures, Action what)
    {
        try
        {
            what();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failures.Add(e);
        }
    }

    private Checkpoint? Written(Func<Checkpoint?> write)
    {
        try
        {
            return write();
        }
        catch (IOException)
        {
            _cannotSave = true;
            throw;
        }
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
