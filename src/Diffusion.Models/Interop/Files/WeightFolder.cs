namespace Diffusion.Models;

/// <summary>Where the weights lie in a folder of the diffusers or transformers layout.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/utils/constants.py: the names of the files; models/modeling_utils.py and model_loading_utils.py: an index goes before a single file, and where a variant's name is put.</remarks>
internal static class WeightFolder
{
    /// <summary>The file that makes a folder that of a pipeline.</summary>
    public const string PipelineIndex = "model_index.json";

    /// <summary>The folder of the network in a pipeline's folder.</summary>
    public const string Network = "unet";

    /// <summary>The folder of the averaged network in a checkpoint of a training script.</summary>
    public const string Averaged = "unet_ema";

    /// <summary>The name that diffusers gives to the weights of one component.</summary>
    public const string SafetensorsName = "diffusion_pytorch_model.safetensors";

    /// <summary>The end of the name of a shard index.</summary>
    public const string IndexSuffix = ".index.json";

    private const int FewNames = 20;

    private static readonly string[] s_names = [SafetensorsName, "model.safetensors", "diffusion_pytorch_model.bin", "pytorch_model.bin"];
    private static readonly string[] s_extensions = [".safetensors", ".bin", ".pth", ".pt", ".ckpt"];
    private static readonly string[] s_foreign = [".msgpack", ".onnx", ".h5", ".keras", ".pb", ".tflite", ".gguf", ".npz"];

    /// <summary>The file of a folder that holds the weights or says where they are: safetensors before PyTorch, an index of shards before one file.</summary>
    /// <param name="folder">The folder, or one with a folder unet or unet_ema.</param>
    /// <param name="variant">The variant; <see langword="null"/> for the weights without one.</param>
    /// <returns>The file, and what is there too and not read, as sentences.</returns>
    /// <exception cref="FileNotFoundException">There is none; the message names the folder, what was looked for and what is there.</exception>
    public static (string File, IReadOnlyList<string> Notes) Find(string folder, string? variant)
    {
        var places = Places(folder).ToList();
        var found = places.Select(place => In(place, variant)).OfType<(string File, string? Beside)>().ToList();
        if (found.Count == 0)
        {
            var names = s_names.SelectMany(name => Indexes(name, variant).Prepend(Single(name, variant)));
            throw new FileNotFoundException(
                $"'{folder}' holds no weights{(variant is null ? "" : $" of the variant '{variant}'")}: neither in it nor in its folder '{Network}' or '{Averaged}' is one of {string.Join(", ", names)}.{Others(places, folder, variant)}", folder);
        }

        var (file, beside) = found[0];
        return (file, [
            .. beside is null ? [] : (string[])[$"'{beside}' was not read: there is an index of shards beside it, which goes before it as in diffusers."],
            .. found.Skip(1).Select(other => $"'{other.File}' was not read: the folder has several networks, and '{Path.GetRelativePath(folder, file)}' was taken.")]);
    }

    /// <summary>Where a folder may have weights, first what goes before: a place that says what its network is; in a pipeline unet, and elsewhere the averaged network, as training scripts leave both.</summary>
    private static IEnumerable<string> Places(string folder)
    {
        string[] places = File.Exists(Path.Combine(folder, PipelineIndex)) ? [Network, "", Averaged] : ["", Averaged, Network];
        return places.Select(place => Path.Combine(folder, place)).OrderBy(place => File.Exists(Path.Combine(place, "config.json")) ? 0 : 1);
    }

    private static (string File, string? Beside)? In(string place, string? variant)
    {
        foreach (var name in s_names)
        {
            var file = Path.Combine(place, Single(name, variant));
            if (Indexes(name, variant).Select(index => Path.Combine(place, index)).FirstOrDefault(File.Exists) is { } index)
            {
                return (index, File.Exists(file) ? file : null);
            }

            if (File.Exists(file))
            {
                return (file, null);
            }
        }

        return null;
    }

    private static string Single(string name, string? variant) => variant is null ? name : Path.ChangeExtension(name, variant + Path.GetExtension(name));

    /// <summary>The names of an index: a variant is put before its last extension, and in former versions before that of the weights.</summary>
    private static IEnumerable<string> Indexes(string name, string? variant) =>
        variant is null ? [name + IndexSuffix] : [$"{name}.index.{variant}.json", Single(name, variant) + IndexSuffix];

    private static string Others(IEnumerable<string> places, string folder, string? variant)
    {
        var files = places.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles)
            .Where(file => s_extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase) || IsIndex(file))
            .Order(StringComparer.Ordinal).ToList();
        var foreign = places.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles)
            .Where(file => s_foreign.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).ToList();
        var unread = foreign.Count == 0 ? "" : $" There is {Names(folder, foreign)}, of another format that is not read here; convert it to safetensors where it comes from.";
        if (files.Count == 0)
        {
            return unread;
        }

        var variants = files.Select(Variant).Where(name => name is not null && name != variant).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var plain = variant is not null && files.Exists(file => s_names.Any(name => Path.GetFileName(file) == name || Path.GetFileName(file) == name + IndexSuffix));
        return $" There is {Names(folder, files)}: {(plain ? "leave the variant out, or " : "")}{(variants.Count > 0 ? $"ask for the variant {string.Join(" or ", variants)} (--variant {variants[0]}), or " : "")}give the file itself.{unread}";
    }

    private static string Names(string folder, List<string> files) =>
        string.Join(", ", files.Take(FewNames).Select(file => Path.GetRelativePath(folder, file))) + (files.Count > FewNames ? $" and {files.Count - FewNames} more" : "");

    private static bool IsIndex(string file) => file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && Path.GetFileName(file).Contains(".index.", StringComparison.OrdinalIgnoreCase);

    /// <summary>The variant that a file's name has: fp16 of diffusion_pytorch_model.fp16.safetensors.</summary>
    private static string? Variant(string file)
    {
        var name = Path.GetFileName(file);
        foreach (var known in s_names)
        {
            var (stem, extension) = (Path.GetFileNameWithoutExtension(known), Path.GetExtension(known));
            var middle = Between(name, stem + ".", extension + IndexSuffix) ?? Between(name, known + ".index.", ".json") ?? Between(name, stem + ".", extension);
            if (middle is not null)
            {
                return WithoutShard(middle);
            }
        }

        return null;
    }

    /// <summary>fp16 of fp16-00001-of-00002; a variant may have hyphens and digits itself.</summary>
    private static string? WithoutShard(string name) => name.Split('-') is [.. var variant, var shard, "of", var count] && shard.All(char.IsAsciiDigit) && count.All(char.IsAsciiDigit)
        ? variant.Length > 0 ? string.Join('-', variant) : null
        : name;

    private static string? Between(string name, string start, string end) =>
        name.Length > start.Length + end.Length && name.StartsWith(start, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal) ? name[start.Length..^end.Length] : null;
}
