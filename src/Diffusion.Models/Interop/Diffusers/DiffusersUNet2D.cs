namespace Diffusion.Models;

/// <summary>
/// The network UNet2DModel of the diffusers library: its configuration as a block list, and the names of its weights. With them its weights load:
/// <c>Weights.Load(unet, described.Keys.ToOurs(file))</c>.
/// </summary>
/// <remarks>
/// huggingface/diffusers, src/diffusers/models/unets/unet_2d.py. Blocks that are read: DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D,
/// UNetMidBlock2D, UpBlock2D, AttnUpBlock2D, ResnetUpsampleBlock2D.
/// </remarks>
public sealed class DiffusersUNet2D
{
    internal const string ClassName = "UNet2DModel";

    private readonly string _json;

    private DiffusersUNet2D(UNetOptions options, string json)
    {
        (Options, _json) = (options, json);
        Keys = new KeyMap($"diffusers' {ClassName}", UNet2DKeys.Rules(options.Down.Count));
    }

    /// <summary>The network as a block list.</summary>
    public UNetOptions Options { get; }

    /// <summary>The names of the weights. Reads also the names query, key, value and proj_attn that attention had in former versions.</summary>
    public KeyMap Keys { get; }

    /// <summary>Reads the text of a unet/config.json.</summary>
    /// <param name="json">A JSON object; what it leaves out has the default of the class.</param>
    /// <returns>The network.</returns>
    /// <exception cref="InvalidDataException">It is not such an object, or there is a key or a value that this library does not know; the message names them.</exception>
    public static DiffusersUNet2D Parse(string json)
    {
        var (options, text) = UNet2DClass.Parse(json, ClassName, UNet2DReader.Read);
        return new DiffusersUNet2D(options, text);
    }

    /// <summary>Describes a network of this library as a UNet2DModel.</summary>
    /// <param name="options">A block list that such a model can have.</param>
    /// <returns>The network.</returns>
    /// <exception cref="ArgumentException">The list has mistakes, or something that UNet2DModel does not have; the message says what.</exception>
    public static DiffusersUNet2D Of(UNetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfInvalid();
        var json = UNet2DClass.ToText(UNet2DWriter.Write(options));
        UNetOptions read;
        try
        {
            read = Parse(json).Options;
        }
        catch (InvalidDataException error)
        {
            throw new ArgumentException($"{ClassName} cannot be this network: {error.Message}", nameof(options), error);
        }

        var differences = NetworkDescription.Lines(options).Except(NetworkDescription.Lines(read)).ToList();
        return differences.Count == 0 && NetworkDescription.Lines(options).Count() == NetworkDescription.Lines(read).Count()
            ? new DiffusersUNet2D(options, json)
            : throw new ArgumentException($"{ClassName} cannot be this network. It has nothing like: {string.Join("; ", differences)}.", nameof(options));
    }

    /// <summary>The text of the config.json: as it was read, or every key of the class.</summary>
    /// <returns>A JSON object, indented.</returns>
    public string ToJson() => _json;
}
