namespace Diffusion.Models;

/// <summary>Where the weights lie in a folder of the diffusers or transformers layout.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/utils/constants.py: the names of the files.</remarks>
internal static class WeightFolder
{
    /// <summary>The folder of the network in a pipeline's folder.</summary>
    public const string Network = "unet";

    /// <summary>The name that diffusers gives to the weights of one component.</summary>
    public const string SafetensorsName = "diffusion_pytorch_model.safetensors";

    /// <summary>The end of the name of a shard index.</summary>
    public const string IndexSuffix = ".index.json";

    private static readonly string[] s_names =
    [
        SafetensorsName, SafetensorsName + IndexSuffix, "model.safetensors", "model.safetensors" + IndexSuffix,
        "diffusion_pytorch_model.bin", "diffusion_pytorch_model.bin" + IndexSuffix, "pytorch_model.bin", "pytorch_model.bin" + IndexSuffix,
    ];

    /// <summary>The file of a folder that holds the weights or says where they are: safetensors before PyTorch, one file before several.</summary>
    /// <exception cref="FileNotFoundException">There is none; the message names the folder and what was looked for.</exception>
    public static string Find(string folder, string? variant = null)
    {
        string[] places = [folder, Path.Combine(folder, Network)];
        return places.SelectMany(place => s_names.Select(name => Path.Combine(place, Variant(name, variant)))).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException(
                $"'{folder}' holds no weights: neither in it nor in its folder '{Network}' is one of {string.Join(", ", s_names)}.", folder);
    }

    private static string Variant(string name, string? variant)
    {
        var index = name.EndsWith(IndexSuffix, StringComparison.Ordinal) ? name[..^IndexSuffix.Length] : null;
        return variant is null ? name : index is not null ? $"{index}.index.{variant}.json" : $"{Path.GetFileNameWithoutExtension(name)}.{variant}{Path.GetExtension(name)}";
    }
}
