namespace Diffusion.Benchmarks;

/// <summary>The checkpoints of a run whose process is killed again and again.</summary>
internal sealed class CrashFolder(string path)
{
    private List<int> _whole = [];

    /// <summary>Looks at all of them.</summary>
    /// <returns>What was lost since the last look: sentences.</returns>
    public IEnumerable<string> Losses()
    {
        List<string> losses = [];
        _ = Checkpoint.Newest(path, losses.Add); // which puts back what was moved aside
        List<int> whole = [];
        foreach (var folder in Checkpoint.List(path))
        {
            try
            {
                whole.Add(Checkpoint.Open(folder).Step);
            }
            catch (InvalidDataException e)
            {
                losses.Add(e.Message);
            }
        }

        if (whole.Count < Math.Min(_whole.Count, CrashRun.Keep) || (_whole.Count > 0 && (whole.Count == 0 || whole[0] < _whole[0])))
        {
            losses.Add($"the whole checkpoints were of the steps {string.Join(", ", _whole)}, and are of {(whole.Count == 0 ? "none" : string.Join(", ", whole))}");
        }

        // None goes but the oldest.
        losses.AddRange(_whole.Where(step => whole.Count > 0 && step > whole[^1] && !whole.Contains(step)).Select(step => $"the whole checkpoint of step {step} is gone, and an older one is not"));
        _whole = whole;
        return losses;
    }

    /// <summary>The sizes and hashes of the files of the newest checkpoint.</summary>
    public IReadOnlyDictionary<string, CheckpointFile> Newest() => Checkpoint.Newest(path)?.Manifest.Files ?? throw new InvalidOperationException($"'{path}' has no whole checkpoint.");
}
