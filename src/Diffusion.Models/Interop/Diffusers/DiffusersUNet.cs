namespace Diffusion.Models;

/// <summary>
/// A network of the diffusers library, UNet2DModel or UNet2DConditionModel: its configuration as a block list, and the names of its weights. With them its weights load:
/// <c>Weights.Load(unet, described.Keys.ToOurs(file))</c>.
/// </summary>
/// <remarks>
/// huggingface/diffusers, src/diffusers/models/unets. UNet2DModel with DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D, UNetMidBlock2D, UpBlock2D, AttnUpBlock2D and ResnetUpsampleBlock2D.
/// UNet2DConditionModel, as Stable Diffusion 1 and 2 have it, with CrossAttnDownBlock2D, DownBlock2D, UNetMidBlock2DCrossAttn, CrossAttnUpBlock2D and UpBlock2D; its <c>attention_head_dim</c> is
/// the number of heads. What Stable Diffusion XL and later ones add (label and addition embeddings, lists of transformer layers) is refused by name.
/// </remarks>
public sealed class DiffusersUNet
{
    private readonly string _json;

    private DiffusersUNet(string className, UNetOptions options, string json)
    {
        (ClassName, Options, _json) = (className, options, json);
        var blocks = options.Down.Count;
        Keys = new KeyMap($"diffusers' {className}", className == UNet2DConditionReader.ClassName ? UNet2DConditionKeys.Rules(blocks) : UNet2DKeys.Rules(blocks));
    }

    /// <summary>The class of diffusers, <c>UNet2DModel</c> or <c>UNet2DConditionModel</c>.</summary>
    public string ClassName { get; }

    /// <summary>The network as a block list; that of a UNet2DConditionModel has a context.</summary>
    public UNetOptions Options { get; }

    /// <summary>The names of the weights. Reads also the names query, key, value and proj_attn that the attention of UNet2DModel had in former versions.</summary>
    public KeyMap Keys { get; }

    /// <summary>Reads the text of a unet/config.json.</summary>
    /// <param name="json">A JSON object; <c>_class_name</c> says which class it is, UNet2DModel where it is missing. What else is left out has the default of the class.</param>
    /// <returns>The network.</returns>
    /// <exception cref="InvalidDataException">It is not such an object, or there is a key or a value that this library does not know; the message names them.</exception>
    public static DiffusersUNet Parse(string json)
    {
        const string Key = "_class_name";
        var className = NetworkConfig.Parse(json, UNet2DReader.ClassName).OneOf(Key, UNet2DReader.ClassName, nullable: false, UNet2DReader.ClassName, UNet2DConditionReader.ClassName)!;
        var (options, text) = UNet2DClass.Parse(json, className, className == UNet2DConditionReader.ClassName ? UNet2DConditionReader.Read : UNet2DReader.Read);
        return new DiffusersUNet(className, options, text);
    }

    /// <summary>Reads a unet/config.json.</summary>
    /// <param name="file">The file, with a text as <see cref="Parse"/> reads it.</param>
    /// <returns>The network.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no plain file (a named pipe, a socket, a device), or as of <see cref="Parse"/>; the message names the file and the reason.</exception>
    public static DiffusersUNet Read(string file) => DescriptionFile.Read(file, "a network of diffusers", Parse);

    /// <summary>Builds the network of a folder that holds a network alone, such as <c>unet</c> or <c>unet_ema</c> of a training script, and loads its weights.</summary>
    /// <param name="path">The folder with config.json and the weights, in any of the formats of <see cref="WeightFiles"/>.</param>
    /// <param name="variant">Which weights, for example <c>fp16</c> of diffusion_pytorch_model.fp16.safetensors; <see langword="null"/> (default) for those without a variant.</param>
    /// <returns>The network in evaluation mode, on the CPU; the caller disposes it.</returns>
    /// <exception cref="FileNotFoundException">There is no config.json or no such weights; the message names the folder.</exception>
    /// <exception cref="InvalidDataException">The configuration is not known, or the weights do not fit it; the message names the file and all differences.</exception>
    public static UNet Load(string path, string? variant = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = Path.Combine(path, "config.json");
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"'{path}' is no folder of a network: it has no config.json, which says what the network is.", file);
        }

        try
        {
            return (UNet)DiffusersNetworks.Load(PlainFile.ReadText(file), path, variant, (config, weights) => DiffusersNetworks.Described(config, weights, network => network)).Module;
        }
        catch (InvalidDataException error) when (!error.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{file}' cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Describes a network of this library as a UNet2DModel.</summary>
    /// <param name="options">A block list that such a model can have.</param>
    /// <returns>The network.</returns>
    /// <exception cref="ArgumentException">The list has mistakes, or something that UNet2DModel does not have, patches included, which <see cref="DiffusersPipeline"/> notes beside it; the message says what.</exception>
    public static DiffusersUNet Of(UNetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfInvalid();
        return options.Dialect.PatchSize == 1 ? OfPixels(options) : throw new ArgumentException(
            $"{UNet2DReader.ClassName} cannot be this network: {nameof(UNetDialect.PatchSize)} is {options.Dialect.PatchSize}, and a config.json of that class has no patches; {nameof(DiffusersPipeline)} writes the network within, and notes them.", nameof(options));
    }

    /// <summary>Makes the network; its weights are still to be loaded.</summary>
    /// <param name="seed">The seed of the initial weights; 0 by default.</param>
    /// <returns>The network, on the CPU.</returns>
    public UNet Build(long seed = 0) => UNetBuilder.From(Options).Build(seed);

    /// <summary>The text of the config.json: as it was read, or every key of the class.</summary>
    /// <returns>A JSON object, indented.</returns>
    public string ToJson() => _json;

    /// <summary>Describes a network that may be on patches: <see cref="Options"/> has them, and the text is of the network within.</summary>
    /// <exception cref="ArgumentException">As of <see cref="Of"/>, patches apart.</exception>
    internal static DiffusersUNet OfPatches(UNetOptions options)
    {
        options.ThrowIfInvalid();
        return OfPixels(UNetPatches.Within(options)).With(options);
    }

    /// <summary>The network on patches around this one, by the note of a pipeline.</summary>
    /// <exception cref="InvalidDataException">p·p does not divide the channels; the message is the reason, without the file's name.</exception>
    internal DiffusersUNet InPatches(PipelineNotes notes) => notes.PatchSize == 1 ? this : With(UNetPatches.Around(Options, notes.PatchSize) ?? throw notes.WrongPatches(Options));

    private static DiffusersUNet OfPixels(UNetOptions options)
    {
        var json = UNet2DClass.ToText(UNet2DWriter.Write(options));
        UNetOptions read;
        try
        {
            read = Parse(json).Options;
        }
        catch (InvalidDataException error)
        {
            throw new ArgumentException($"{UNet2DReader.ClassName} cannot be this network: {error.Message}", nameof(options), error);
        }

        return NetworkDescription.Difference(options, read, UNet2DReader.ClassName) is { } difference
            ? throw new ArgumentException($"{UNet2DReader.ClassName} cannot be this network (UNetPresets.Diffusers makes one that it can be): {difference}.", nameof(options))
            : new DiffusersUNet(UNet2DReader.ClassName, options, json);
    }

    private DiffusersUNet With(UNetOptions options) => new(ClassName, options, _json);
}
