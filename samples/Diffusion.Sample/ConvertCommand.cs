using System.CommandLine;
using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Weights of any format and of other projects' names to a safetensors file, and back to their names.</summary>
internal static class ConvertCommand
{
    private static readonly Option<string> s_from = new("--from") { Description = "A file of weights (.safetensors, .pth, .pt, .bin, .index.json) or a folder that holds one.", Required = true };
    private static readonly Option<FileInfo> s_to = new("--to") { Description = "The file to write, *.safetensors, which PyTorch and diffusers read. A folder for a run of this app: the run as a model to pass on, weights, configuration and card; with --dialect diffusers as a pipeline of diffusers.", Required = true };
    private static readonly Option<string?> s_dialect = new("--dialect") { Description = $"Whose names the weights have, to be changed to this library's: {string.Join(", ", WeightDialects.Names)}. Without it names stay." };
    private static readonly Option<FileInfo?> s_network = new("--network") { Description = "What the network of the dialect is: the config.json of diffusers (by default the one in the file's header, which convert stores, or beside the weights), or the arguments of OpenAI's UNetModel as JSON." };
    private static readonly Option<bool> s_reverse = new("--reverse") { Description = "The other way: from this library's names to those of the dialect." };
    private static readonly Option<string?> s_prefix = new("--prefix") { Description = "Take the tensors alone whose names begin with this, and cut it off: 'ema/' where a file nests several. With \"\" all tensors as they are. Without it the network's weights are found, and what wraps them is taken off." };
    private static readonly Option<string?> s_variant = new("--variant") { Description = "Of a folder the variant of the weights: fp16 for diffusion_pytorch_model.fp16.safetensors." };
    private static readonly Option<FileInfo?> s_config = new("--config") { Description = "A run's configuration that the weights fit: it is checked, and stored with them, so that the other commands can use the file." };

    private static readonly Option<string?> s_type = new("--type") { Description = $"The type of the numbers in the file: {string.Join(", ", WeightTypes.Names)}. Without it they keep their own." };

    public static Command Create()
    {
        var command = new Command("convert", "Convert weights: formats, and the names of other projects.") { s_from, s_to, s_dialect, s_network, s_reverse, s_prefix, s_variant, s_config, s_type };
        command.SetAction(arguments => ExitCode.Of(() => Run(arguments)));
        return command;
    }

    private static void Run(ParseResult arguments)
    {
        var (from, to) = (IncludedFiles.Find(arguments.GetRequiredValue(s_from)), arguments.GetRequiredValue(s_to).FullName);
        var (dialect, reverse) = (arguments.GetValue(s_dialect), arguments.GetValue(s_reverse));
        var type = WeightTypes.Find(arguments.GetValue(s_type));
        if (PipelineHandOver.IsAskedFor(to, dialect, reverse))
        {
            UsageException.IfUnused("a pipeline is written of a run of this app, whose files say what its network is and which weights it has.", arguments, s_network, s_prefix, s_variant, s_config, s_type);
            PipelineHandOver.Run(from, to);
            return;
        }

        if (ModelHandOver.IsAskedFor(to, dialect, reverse))
        {
            UsageException.IfUnused("a model's folder is written of a run of this app, whose files say what its network is and which weights it has.", arguments, s_network, s_prefix, s_variant, s_config);
            ModelHandOver.Run(from, to, type);
            return;
        }

        if (!to.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"--to must be a file *.safetensors, the one format that is written; it is '{to}'.{PipelineHandOver.Hint(to, dialect, reverse)}");
        }

        if (dialect is null || !WeightDialects.NeedDescription(dialect))
        {
            UsageException.IfUnused(dialect is null ? "without --dialect names stay as they are." : $"the names of {dialect} do not depend on what the network is.", arguments, s_network);
        }

        DiffusionRuntime.EnsureLoaded();
        using var weights = UsageException.Unless(() => WeightFiles.OpenNetwork(TrainedWeights.FindAnyFile(from), arguments.GetValue(s_prefix), arguments.GetValue(s_variant)));
        if (weights.Files.Any(file => Path.GetFullPath(file) == to))
        {
            throw new UsageException($"--to is the file '{to}' that is read; give another.");
        }

        using var scope = NewDisposeScope();
        var network = arguments.GetValue(s_network)?.FullName;
        var translate = Translation(dialect, reverse, weights, network);
        using var loaded = weights.Load();
        var tensors = WeightTypes.Convert(translate(loaded), type, weights.Path);
        Save(to, tensors, WeightDialects.WithNetwork(Metadata(from, to, weights, arguments.GetValue(s_config), tensors), dialect, reverse, weights, network));
        foreach (var note in PatchNotes.Left(from) is { } left ? [.. weights.Notes, left] : weights.Notes)
        {
            AnsiConsole.MarkupLineInterpolated($"{note}");
        }

        AnsiConsole.MarkupLineInterpolated($"Wrote {tensors.Count} tensors, {tensors.Values.Sum(tensor => tensor.numel())} numbers, from {weights.Path} to {to}");
    }

    private static Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>> Translation(string? dialect, bool reverse, WeightFiles weights, string? network)
    {
        if (dialect is null)
        {
            return reverse ? throw new UsageException("--reverse goes with --dialect.") : tensors => tensors;
        }

        if (reverse && WeightDialects.Names.Contains(dialect.ToLowerInvariant()))
        {
            PatchNotes.ThrowIfLost(weights, dialect);
        }

        var found = WeightDialects.Find(dialect, weights, network);
        return reverse ? found.ToTheirs : found.ToOurs;
    }

    private static Dictionary<string, string> Metadata(string from, string to, WeightFiles weights, FileInfo? config, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var metadata = new Dictionary<string, string>(weights.Metadata);
        metadata.TryAdd("format", "pt");
        if ((config is null ? TrainedWeights.OptionsOf(from, weights) : Fitting(Path.GetFullPath(IncludedFiles.Find(config.ToString())), tensors)) is { } options)
        {
            options = SharedPaths.Of(options, Path.GetDirectoryName(to)!);
            metadata[RunConfiguration.MetadataKey] = RunConfiguration.ToJson(options);
            AnsiConsole.MarkupLineInterpolated($"The configuration of a run goes with them. Its images are those of '{options.Data.Path}' (data.path, from the folder of the file).");
        }

        return metadata;
    }

    private static RunOptions Fitting(string config, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var options = RunConfiguration.Load(config);
        using var network = options.CreateNetwork();
        try
        {
            Weights.Load(network, tensors);
            return options;
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"The weights do not fit the network that '{config}' describes. {e.Message}", e);
        }
    }

    private static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        try
        {
            Safetensors.Save(path, tensors, metadata);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException(e.Message.ReplaceLineEndings(" "), e); // a type that safetensors lacks
        }
    }
}
