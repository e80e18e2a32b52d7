using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>Keeps the results of earlier runs: only the same run may be done again over its own files.</summary>
internal static class EarlierResults
{
    /// <summary>The key under which a run that began with other weights names them, in the header of its safetensors files.</summary>
    private const string FromKey = "diffusion.from";

    /// <summary>What the headers of a run's files say: its configuration, and with which weights it began.</summary>
    public static IReadOnlyDictionary<string, string> Metadata(RunFolder folder, TrainArguments arguments, string configuration)
    {
        var metadata = new Dictionary<string, string> { [RunConfiguration.MetadataKey] = configuration };
        var from = arguments.From is { } given ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(given))) // files are passed on, and where folders lie is nobody's business
            : arguments.Resume && Checkpoint.Newest(folder.Checkpoints) is { } newest ? From(Path.Combine(newest.Folder, Checkpoint.ModelFile))
            : null;
        if (from is not null)
        {
            metadata[FromKey] = from;
        }

        return metadata;
    }

    /// <summary>Refuses a folder for a run that begins with the weights of another: nothing says that two such runs are the same.</summary>
    /// <exception cref="UsageException">It has a run, or is or contains those weights.</exception>
    public static void ThrowIfInUse(RunFolder folder, string from)
    {
        if (RealPaths.IsIn(from, folder.Path))
        {
            throw new UsageException($"--out: {folder.Path} is or contains '{from}', with which the run begins (--from). Choose another folder with --out.");
        }

        var checkpoints = Directory.Exists(folder.Checkpoints) && Directory.EnumerateDirectories(folder.Checkpoints).Any();
        if (checkpoints || ((string[])[folder.Model, Path.Combine(folder.Path, Checkpoint.EmaFile), folder.Config, folder.Losses]).Any(File.Exists))
        {
            throw new UsageException($"{folder.Path} holds a run already, and --from begins another. Choose another folder with --out, or remove this one.");
        }
    }

    /// <summary>Makes room for a run that is not resumed.</summary>
    /// <exception cref="UsageException">There is another run, or one that is not done.</exception>
    public static void MakeRoom(RunFolder folder, RunOptions options, int steps)
    {
        var newest = Checkpoint.Newest(folder.Checkpoints);
        var finished = File.Exists(folder.Model) && !(newest?.Step < steps);
        if (!finished && newest is { } stopped)
        {
            throw new UsageException($"{folder.Path} holds a run at step {stopped.Step}. Add --resume to go on with it, or choose another folder with --out.");
        }

        if (finished && From(folder.Model) is { } from)
        {
            throw new UsageException($"{folder.Path} holds the results of a run that began with the weights of '{from}'. Choose another folder with --out, or remove this one.");
        }

        if (finished && !Same(folder.Config, options))
        {
            throw new UsageException($"{folder.Path} holds the results of another run. Choose another folder with --out, or remove this one.");
        }

        Checkpoint.DeleteAll(folder.Checkpoints);
    }

    private static string? From(string file) => File.Exists(file) && Safetensors.ReadMetadata(file).TryGetValue(FromKey, out var from) ? from : null;

    /// <summary>Whether a file holds this configuration; one written before an option existed means its default.</summary>
    private static bool Same(string file, RunOptions options)
    {
        if (!File.Exists(file))
        {
            return false;
        }

        var before = ConfigurationFile.Load(file);
        return RunConfiguration.ToJson(before with { Data = before.Data with { ClassNames = before.Data.ClassNames ?? options.Data.ClassNames } }) == RunConfiguration.ToJson(options);
    }
}
