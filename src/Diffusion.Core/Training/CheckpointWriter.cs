using System.Globalization;

namespace Diffusion;

/// <summary>Writes the checkpoints of a run to a folder, on a thread of its own, one at a time, and deletes those that are not to be kept.</summary>
internal sealed class CheckpointWriter(string folder, CheckpointOptions options, WholeCheckpoints whole, Action<string> warn) : IDisposable
{
    private Task<Checkpoint>? _writing;
    private FolderLock? _lock;

    /// <summary>The whole path of the folder.</summary>
    public string Folder { get; } = PathNames.Whole(folder);

    /// <summary>Finds out before any work is done whether the folder can be written to, keeps others from it until this is disposed, and clears away what a killed run left half written.</summary>
    /// <exception cref="IOException">It cannot, or another process or trainer writes to it.</exception>
    public void Prepare()
    {
        try
        {
            _lock = FolderLock.Take(folder);
            Checkpoint.DeleteUnfinished(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Checkpoints cannot be written to '{folder}': {e.Message} Choose another folder.", e);
        }
    }

    /// <summary>Begins to write, once the one before is written.</summary>
    /// <param name="snapshot">What to write; disposed afterwards.</param>
    /// <returns>The one before, if it was not yet taken.</returns>
    public Checkpoint? Begin(TrainerSnapshot snapshot)
    {
        try
        {
            var before = Finish();
            _writing = Task.Run(() =>
            {
                using (snapshot)
                {
                    return Write(snapshot);
                }
            });
            return before;
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }
    }

    /// <summary>The checkpoint that was begun, if it is written by now.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public Checkpoint? Poll() => _writing is { IsCompleted: true } ? Finish() : null;

    /// <summary>Waits for the checkpoint that was begun.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public Checkpoint? Finish()
    {
        var writing = _writing;
        _writing = null;
        return writing?.GetAwaiter().GetResult();
    }

    /// <summary>Writes on this thread.</summary>
    /// <exception cref="IOException">It could not be written; what was there before is whole.</exception>
    public Checkpoint Write(TrainerSnapshot snapshot)
    {
        try
        {
            SaveAverages(snapshot); // first, so that a run resumed from the checkpoint has them
            var checkpoint = Checkpoint.Save(folder, snapshot.Manifest, snapshot.Files.ToDictionary(file => file.Key, file => file.Value.AsEnumerable()), options.Metadata);
            Prune(checkpoint);
            return checkpoint;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var earlier = Checkpoint.List(folder).FirstOrDefault(each => whole.Damage(each) is null);
            throw new IOException(
                $"The checkpoint of step {snapshot.Manifest.Step} cannot be written to '{folder}': {e.Message} Make room or choose another folder, and resume; "
                + (earlier is null ? "there is no earlier one." : $"{Path.GetFileName(earlier)} is there still."), e);
        }
    }

    /// <summary>Lets others write to the folder.</summary>
    public void Dispose() => _lock?.Dispose();

    /// <summary>Deletes what is older than the newest whole checkpoints that are kept, from the one written backwards; the oldest first.</summary>
    private void Prune(Checkpoint written)
    {
        var kept = 1;
        var needless = new Stack<string>();
        foreach (var old in Checkpoint.List(folder).Where(path => Checkpoint.StepOf(path) < written.Step))
        {
            if (kept >= options.Keep)
            {
                needless.Push(old);
            }
            else if (whole.Damage(old) is not { } damage)
            {
                kept++;
            }
            else if ($"'{old}' is not whole and does not count as one of the {options.Keep} that are kept: {damage}" is var warning && whole.IsNew(warning))
            {
                warn(warning);
            }
        }

        foreach (var old in needless)
        {
            Delete(old);
        }
    }

    private void Delete(string old)
    {
        if (Checkpoint.StepOf(old) % options.KeepEvery == 0)
        {
            return;
        }

        try
        {
            AtomicFolder.Delete(old);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"'{old}' is not needed any more, but cannot be deleted: {e.Message}");
        }
    }

    private void SaveAverages(TrainerSnapshot snapshot)
    {
        foreach (var (file, width) in snapshot.PowerFunctions)
        {
            if (snapshot.Manifest.Step > 0 && snapshot.Manifest.Step % options.SnapshotEvery == 0) // before the first step there is nothing to average
            {
                var metadata = new Dictionary<string, string>(options.Metadata)
                {
                    [PostHocEma.StepKey] = snapshot.Manifest.Step.ToString(CultureInfo.InvariantCulture),
                    [PostHocEma.WidthKey] = width.ToString("R", CultureInfo.InvariantCulture),
                };
                var name = string.Create(CultureInfo.InvariantCulture, $"step-{snapshot.Manifest.Step:D8}.{file}");
                Safetensors.Save(Path.Combine(folder, Checkpoint.AveragesFolder, name), snapshot.Files[file], metadata);
            }
        }
    }
}
