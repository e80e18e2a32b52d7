using Diffusion.Configuration;
using Diffusion.Models;

namespace Diffusion.Sample;

/// <summary>Weights on disk with the configuration they were trained by, found from a run's folder, a checkpoint's folder or the file itself.</summary>
internal sealed record TrainedWeights(string File, RunOptions Options)
{
    public static TrainedWeights Find(string path)
    {
        var file = FindFile(path);
        var header = Safetensors.ReadMetadata(file).TryGetValue(RunConfiguration.MetadataKey, out var json)
            ? Located(RunConfiguration.Parse(json, file), file)
            : throw new InvalidDataException($"'{file}' does not say how its network is built: its header has no '{RunConfiguration.MetadataKey}'. Files that the command train writes do; for a network of diffusers give its config.json by --network FILE.");
        return new TrainedWeights(file, IsModel(path, file) ? ModelFolder.Configuration(path, header) : header);
    }

    /// <summary>Whether a folder has weights or checkpoints of a run, or is a model's.</summary>
    public static bool IsRun(string folder) =>
        System.IO.File.Exists(Path.Combine(folder, Checkpoint.EmaFile)) || Checkpoint.List(new RunFolder(folder).Checkpoints).Count > 0 || ModelFolder.Is(folder);

    /// <summary>Whether a path is that of a model's folder, and a file its weights.</summary>
    public static bool IsModel(string path, string file) => Directory.Exists(path) && file == ModelFolder.Weights(path);

    /// <summary>The configuration of the run that weights are of, with whole paths; <see langword="null"/> where they are of none.</summary>
    /// <param name="path">Where they were looked for.</param>
    /// <param name="weights">The weights.</param>
    public static RunOptions? OptionsOf(string path, WeightFiles weights) => IsModel(path, weights.Path) ? Find(path).Options
        : weights.Metadata.TryGetValue(RunConfiguration.MetadataKey, out var json) ? Located(RunConfiguration.Parse(json, weights.Path), weights.Path)
        : null;

    /// <summary>Whether a file says which run it is of.</summary>
    public static bool HasRun(string file)
    {
        using var weights = WeightFiles.Open(file);
        return weights.Metadata.ContainsKey(RunConfiguration.MetadataKey);
    }

    /// <summary>The averaged weights of a run where there are any; otherwise a file or folder that may be of another project.</summary>
    public static string FindAnyFile(string path)
    {
        if (!System.IO.File.Exists(path) && !Directory.Exists(path))
        {
            throw new UsageException($"There is no file or folder '{path}'.");
        }

        return Directory.Exists(path) && IsRun(path)
            ? FindFile(path)
            : path;
    }

    /// <summary>Compares the sizes of the weights and of the network of their configuration, before memory is taken for it.</summary>
    /// <exception cref="InvalidDataException">The network is larger.</exception>
    public void ThrowIfSmallerThan(RunOptions options)
    {
        using var weights = WeightFiles.Open(File);
        weights.ThrowIfSmallerThan(options.ModelForData());
    }

    /// <summary>Puts the weights into the network of the configuration.</summary>
    /// <exception cref="InvalidDataException">They do not fit; the message lists all differences.</exception>
    public void Fill(UNet network)
    {
        using var weights = Safetensors.Load(File);
        try
        {
            Weights.Load(network, weights);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{File}' does not fit the network that its own configuration describes. {e.Message}", e);
        }
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
            : ModelFolder.Is(path) ? ModelFolder.Weights(path)
            : throw new UsageException($"There is no {Checkpoint.EmaFile}, no whole checkpoint and no {Checkpoint.ModelFile} that says which run it is of in '{path}'.");
    }

    /// <summary>A header's configuration, whose relative paths are taken from the folder of the file, as those of a configuration file are.</summary>
    private static RunOptions Located(RunOptions options, string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        return options with { Data = options.Data with { Path = Whole(options.Data.Path), Folder = options.Data.Folder with { ValidationPath = options.Data.Folder.ValidationPath is { } kept ? Whole(kept) : null } } };

        // One with a drive is a whole path of Windows, wherever this runs.
        string Whole(string path) => Path.IsPathRooted(path) || path is [_, ':', ..] ? path : Path.GetFullPath(path, folder);
    }
}
