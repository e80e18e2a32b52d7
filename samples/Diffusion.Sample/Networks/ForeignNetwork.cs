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

    /// <summary>Where a training script's checkpoint has its networks, the averaged one first.</summary>
    private static readonly string[] s_networks = ["unet_ema", "unet"];

    private static readonly string[] s_extensions = [".safetensors", ".bin", ".pth", ".pt", ".ckpt"];

    private ForeignNetwork(string file, string kind, UNet network, DiffusersPipeline? pipeline) => (File, Kind, Network, Pipeline) = (file, kind, network, pipeline);

    /// <summary>Where the weights are.</summary>
    public string File { get; }

    /// <summary>What it is, for people.</summary>
    public string Kind { get; }

    public UNet Network { get; }

    /// <summary>The pipeline, where it is one.</summary>
    public DiffusersPipeline? Pipeline { get; }

    /// <summary>The text of the pipeline's scheduler_config.json.</summary>
    public string? SchedulerConfig { get; private init; }

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
            return new ForeignNetwork(pipeline.WeightsFile!, pipeline.ClassName, (UNet)pipeline.Network, pipeline) { SchedulerConfig = DiffusersFolder.Read(path).SchedulerConfig };
        }

        if (System.IO.File.Exists(Path.Combine(path, SchedulerFile)))
        {
            throw new UsageException($"'{path}' holds a scheduler of diffusers alone, without a network.");
        }

        if (!Directory.Exists(path))
        {
            return OpenWeights(path, arguments);
        }

        // Of a run and empty ones a run's messages say more.
        var folder = s_networks.Select(name => Path.Combine(path, name)).Prepend(path).FirstOrDefault(each => System.IO.File.Exists(Path.Combine(each, Description)));
        return folder is null && !Directory.EnumerateFiles(path).Any(file => s_extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)) ? null : OpenWeights(folder ?? path, arguments);
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

        if (Text(weights, arguments.Network) is not { } text)
        {
            return arguments.Network is null && System.IO.File.Exists(path) && weights.Format == "safetensors" ? null : throw new UsageException(
                $"'{weights.Path}' does not say what its network is, and there is no {Description} of diffusers beside it: give one by --network FILE.");
        }

        UsageException.IfUnused($"'{weights.Path}' is a network alone, without a {SchedulerFile}.", ("--ignore-key", arguments.IgnoredKeys.Count > 0));
        foreach (var note in weights.Notes)
        {
            AnsiConsole.MarkupLineInterpolated($"{note}");
        }

        var described = DiffusersUNet.Parse(text.Json);
        weights.ThrowIfSmallerThan(described.Options);
        var network = described.Build();
        try
        {
            using var tensors = weights.Load();
            Weights.Load(network, tensors.Keys.Contains("conv_norm_out.weight") ? described.Keys.ToOurs(tensors) : tensors);
            network.eval();
            return new ForeignNetwork(weights.Path, described.ClassName, network, null);
        }
        catch (ArgumentException e)
        {
            network.Dispose();
            throw new InvalidDataException($"'{weights.Path}' does not fit the network that {text.Source} describes. {e.Message}", e);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>What says what the network is: the file that is given, what convert has stored with the weights, or the config.json beside them.</summary>
    private static (string Json, string Source)? Text(WeightFiles weights, string? given)
    {
        if (given is null && weights.Metadata.TryGetValue(WeightDialects.NetworkKey, out var stored))
        {
            return (stored, "its header");
        }

        var file = given ?? WeightDialects.DescriptionBeside(weights.Path);
        return file is null ? null
            : System.IO.File.Exists(file) ? (System.IO.File.ReadAllText(file), $"'{file}'")
            : throw new UsageException($"There is no file '{file}'.");
    }
}
