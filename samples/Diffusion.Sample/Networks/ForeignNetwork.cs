using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>A network that diffusers or another tool saved, with its weights: from a pipeline's folder, a network's folder or a file.</summary>
internal sealed class ForeignNetwork : IDisposable
{
    private const string Description = "config.json";
    private const string SchedulerFile = "scheduler_config.json";

    private static readonly string[] s_extensions = [".safetensors", ".bin", ".pth", ".pt", ".ckpt"];

    private ForeignNetwork(string file, string kind, UNet network, DiffusersPipeline? pipeline, DiffusersScheduler? scheduler) =>
        (File, Kind, Network, Pipeline, Scheduler) = (file, kind, network, pipeline, scheduler);

    /// <summary>Where the weights are.</summary>
    public string File { get; }

    /// <summary>What it is, for people.</summary>
    public string Kind { get; }

    public UNet Network { get; }

    /// <summary>The pipeline, where it is one.</summary>
    public DiffusersPipeline? Pipeline { get; }

    /// <summary>The scheduler of the pipeline, or the one that lies with a network alone; <see langword="null"/> where there is none.</summary>
    public DiffusersScheduler? Scheduler { get; }

    /// <summary>The noise schedule of <see cref="Scheduler"/>, of a pipeline that was written here to the bit.</summary>
    public INoiseSchedule? Schedule => Pipeline?.Schedule ?? Scheduler?.Schedule;

    /// <summary>The rows of the label table; 0 where there is none.</summary>
    public int Labels => Network.Options.Dialect.Labels is { Kind: LabelKind.Table } labels ? labels.Classes : 0;

    /// <summary>Opens what is at a path, if that is not of this app's own training.</summary>
    /// <returns><see langword="null"/> for what has a run's configuration, or should have.</returns>
    /// <exception cref="InvalidDataException">A file cannot be read, or does not fit; the message names it.</exception>
    /// <exception cref="UsageException">The weights do not say what their network is.</exception>
    public static ForeignNetwork? Open(string path, SourceArguments arguments)
    {
        if (Directory.Exists(path) ? TrainedWeights.IsRun(path) : !System.IO.File.Exists(path) || TrainedWeights.HasRun(path))
        {
            return null;
        }

        if (System.IO.File.Exists(Path.Combine(path, "model_index.json")))
        {
            UsageException.IfUnused($"'{path}' is a pipeline, which says itself what its network is.", ("--network", arguments.Network is not null));
            var pipeline = UsageException.Unless(() => DiffusersPipeline.Load(path, arguments.IgnoredKeys, arguments.Variant));
            return new ForeignNetwork(pipeline.WeightsFile!, pipeline.ClassName, (UNet)pipeline.Network, pipeline, pipeline.Scheduler);
        }

        if (!Directory.Exists(path) || HasNetwork(path))
        {
            return OpenWeights(path, arguments);
        }

        // Of a run and empty ones a run's messages say more.
        return System.IO.File.Exists(Path.Combine(path, SchedulerFile)) ? throw new UsageException($"'{path}' holds a scheduler of diffusers alone, without a network.") : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pipeline?.Dispose();
        Network.Dispose();
    }

    private static ForeignNetwork? OpenWeights(string path, SourceArguments arguments)
    {
        using var weights = UsageException.Unless(() => WeightFiles.OpenNetwork(path, variant: arguments.Variant));
        if (weights.Metadata.ContainsKey(RunConfiguration.MetadataKey))
        {
            return null;
        }

        if (WeightDialects.Described(weights, arguments.Network) is not var (described, source))
        {
            return arguments.Network is null && System.IO.File.Exists(path) && weights.Format == "safetensors" ? null : throw new UsageException(
                $"'{weights.Path}' does not say what its network is, and {WeightDialects.NoneBeside(weights.Path)}: give a {Description} of diffusers by --network FILE.");
        }

        foreach (var note in weights.Notes)
        {
            AnsiConsole.MarkupLineInterpolated($"{note}");
        }

        var scheduler = FindScheduler(path, arguments);
        UsageException.IfUnused($"'{weights.Path}' is a network alone, without a {SchedulerFile}.", ("--ignore-key", arguments.IgnoredKeys.Count > 0 && scheduler is null));
        weights.ThrowIfSmallerThan(described.Options);
        var network = described.Build();
        try
        {
            using var tensors = weights.Load();
            Weights.Load(network, tensors.Keys.Contains("conv_norm_out.weight") ? described.Keys.ToOurs(tensors) : tensors);
            network.eval();
            return new ForeignNetwork(weights.Path, described.ClassName, network, null, scheduler);
        }
        catch (ArgumentException e)
        {
            network.Dispose();
            throw new InvalidDataException($"'{weights.Path}' does not fit the network that {source} describes. {e.Message}", e);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Whether a folder has something of a network, itself or in a folder of one.</summary>
    public static bool HasNetwork(string folder) =>
        System.IO.File.Exists(Path.Combine(folder, Description))
        || WeightFiles.NetworkFolders.Any(name => Directory.Exists(Path.Combine(folder, name)))
        || Directory.EnumerateFiles(folder).Any(file => s_extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase));

    /// <summary>The scheduler in the folder of a network, or in a folder scheduler beside that of the network. It is not needed where a schedule is asked for.</summary>
    private static DiffusersScheduler? FindScheduler(string path, SourceArguments arguments)
    {
        string[] places = Directory.Exists(path) ? [path, Path.Combine(path, "scheduler")] : [];
        if (places.Select(place => Path.Combine(place, SchedulerFile)).FirstOrDefault(System.IO.File.Exists) is not { } file)
        {
            return null;
        }

        try
        {
            return DiffusersScheduler.Read(file, arguments.IgnoredKeys);
        }
        catch (InvalidDataException e) when (arguments.Schedule is not null)
        {
            AnsiConsole.MarkupLineInterpolated($"{e.Message} It is left aside: --schedule is given.");
            return null;
        }
    }
}
