using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>Weights on disk with the configuration they were trained by, found from a run's folder, a checkpoint's folder or the file itself.</summary>
internal sealed record TrainedWeights(string File, RunOptions Options)
{
    public static TrainedWeights Find(string path)
    {
        var file = FindFile(path);
        return Safetensors.ReadMetadata(file).TryGetValue(RunConfiguration.MetadataKey, out var json)
            ? new TrainedWeights(file, RunConfiguration.Parse(json, file))
            : throw new InvalidDataException($"'{file}' does not say how its network is built: its header has no '{RunConfiguration.MetadataKey}'. Files that the command train writes do.");
    }

    /// <summary>The averaged weights of a run where there are any; otherwise a file or folder that may be of another project.</summary>
    public static string FindAnyFile(string path)
    {
        if (!System.IO.File.Exists(path) && !Directory.Exists(path))
        {
            throw new UsageException($"There is no file or folder '{path}'.");
        }

        return Directory.Exists(path) && (System.IO.File.Exists(Path.Combine(path, Checkpoint.EmaFile)) || Checkpoint.List(new RunFolder(path).Checkpoints).Count > 0)
            ? FindFile(path)
            : path;
    }

    /// <summary>The averaged weights where there are any.</summary>
    public static string FindFile(string path)
    {
        if (System.IO.File.Exists(path))
        {
            return path;
        }

        if (!Directory.Exists(path))
        {
            throw new UsageException($"There is no file or folder '{path}'.");
        }

        var averaged = Path.Combine(path, Checkpoint.EmaFile);
        return System.IO.File.Exists(averaged) ? averaged
            : Checkpoint.Newest(new RunFolder(path).Checkpoints) is { } newest ? Path.Combine(newest.Folder, Checkpoint.EmaFile)
            : throw new UsageException($"There is no {Checkpoint.EmaFile} and no whole checkpoint in '{path}'.");
    }
}
