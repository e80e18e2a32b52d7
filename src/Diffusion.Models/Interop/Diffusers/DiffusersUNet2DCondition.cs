namespace Diffusion.Models;

/// <summary>
/// The network UNet2DConditionModel of the diffusers library, as Stable Diffusion 1 and 2 have it: its configuration as a block list with a
/// context, and the names of its weights. With them its weights load: <c>Weights.Load(unet, described.Keys.ToOurs(file))</c>.
/// </summary>
/// <remarks>
/// huggingface/diffusers, src/diffusers/models/unets/unet_2d_condition.py. Blocks that are read: CrossAttnDownBlock2D, DownBlock2D,
/// UNetMidBlock2DCrossAttn, CrossAttnUpBlock2D, UpBlock2D. In that class <c>attention_head_dim</c> is the number of heads. What Stable
/// Diffusion XL and later ones add (label and addition embeddings, lists of transformer layers) is refused by name.
/// </remarks>
public sealed class DiffusersUNet2DCondition
{
    internal const string ClassName = "UNet2DConditionModel";

    private readonly string _json;

    private DiffusersUNet2DCondition(UNetOptions options, string json)
    {
        (Options, _json) = (options, json);
        Keys = new KeyMap($"diffusers' {ClassName}", UNet2DConditionKeys.Rules(options.Down.Count));
    }

    /// <summary>The network as a block list, with its context.</summary>
    public UNetOptions Options { get; }

    /// <summary>The names of the weights.</summary>
    public KeyMap Keys { get; }

    /// <summary>Reads the text of a unet/config.json.</summary>
    /// <param name="json">A JSON object; what it leaves out has the default of the class.</param>
    /// <returns>The network.</returns>
    /// <exception cref="InvalidDataException">It is not such an object, or there is a key or a value that this library does not know; the message names them.</exception>
    public static DiffusersUNet2DCondition Parse(string json)
    {
        var (options, text) = UNet2DClass.Parse(json, ClassName, UNet2DConditionReader.Read);
        return new DiffusersUNet2DCondition(options, text);
    }

    /// <summary>Makes the network; its weights are still to be loaded.</summary>
    /// <param name="seed">The seed of the initial weights; 0 by default.</param>
    /// <returns>The network, on the CPU.</returns>
    public UNet Build(long seed = 0) => UNetBuilder.From(Options).Build(seed);

    /// <summary>The text of the config.json as it was read.</summary>
    /// <returns>A JSON object, indented.</returns>
    public string ToJson() => _json;
}
