using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The network UNetModel of OpenAI's improved-diffusion and guided-diffusion: its constructor arguments as a block list, and its weights. They
/// load through <see cref="ToOurs"/>, which renames them and drops the last dimension of attention's 1×1 convolutions.
/// </summary>
/// <remarks>openai/improved-diffusion, improved_diffusion/unet.py; openai/guided-diffusion, guided_diffusion/unet.py. arXiv:2102.09672, arXiv:2105.05233.</remarks>
public sealed class OpenAIUNet
{
    private const string ClassName = "UNetModel";

    internal OpenAIUNet(OpenAIArguments arguments)
    {
        Options = arguments.ToOptions();
        Keys = new KeyMap($"OpenAI's {ClassName}", OpenAIKeys.Rules(Options));
    }

    /// <summary>The network as a block list.</summary>
    public UNetOptions Options { get; }

    /// <summary>The names of the weights.</summary>
    public KeyMap Keys { get; }

    /// <summary>Reads the arguments of the constructor.</summary>
    /// <param name="json">
    /// A JSON object such as <c>{"in_channels": 3, "model_channels": 128, "out_channels": 6, "num_res_blocks": 2, "attention_resolutions": [2, 4]}</c>, with the
    /// names of guided-diffusion; what it leaves out has the default there. <c>image_size</c> matters to checks and the summary alone, 64 where it is missing.
    /// <c>use_checkpoint</c> and <c>use_fp16</c> are about how is computed, not what, and do nothing.
    /// </param>
    /// <returns>The network.</returns>
    /// <exception cref="InvalidDataException">It is not such an object, or there is a key or a value that this library does not know; the message names them.</exception>
    public static OpenAIUNet Parse(string json)
    {
        var config = NetworkConfig.Parse(json, ClassName);
        if (config.Whole("dims", 2) != 2)
        {
            throw config.Wrong("dims", config.Value("dims")!.Value, "2");
        }

        var arguments = new OpenAIArguments
        {
            ImageSize = config.Whole("image_size", 64),
            InChannels = config.Needed("in_channels"),
            ModelChannels = config.Needed("model_channels"),
            OutChannels = config.Needed("out_channels"),
            ResBlocks = config.Layers("num_res_blocks", null),
            AttentionResolutions = config.Has("attention_resolutions")
                ? config.Wholes("attention_resolutions", [])
                : throw new InvalidDataException($"{ClassName}: \"attention_resolutions\" must be a list of whole numbers; it is missing."),
            Dropout = config.Number("dropout", 0),
            ChannelMult = config.Numbers("channel_mult", [1, 2, 4, 8]),
            ConvResample = config.Flag("conv_resample", otherwise: true),
            Classes = config.Whole("num_classes", null, none: null),
            Heads = config.Whole("num_heads", 1),
            HeadChannels = config.Whole("num_head_channels", -1),
            HeadsUpsample = config.Whole("num_heads_upsample", -1),
            ScaleShift = config.Flag("use_scale_shift_norm", otherwise: false),
            ResidualResampling = config.Flag("resblock_updown", otherwise: false),
            NewAttentionOrder = config.Flag("use_new_attention_order", otherwise: false),
        };
        config.Flag("use_checkpoint", otherwise: false);
        config.Flag("use_fp16", otherwise: false);
        config.ThrowIfUnread();
        if (arguments.ChannelMult.Count is 0 or > 16)
        {
            throw new InvalidDataException($"{ClassName}: \"channel_mult\" must have from 1 to 16 numbers; it has {arguments.ChannelMult.Count}.");
        }

        var errors = arguments.ToOptions().Validate().ToList();
        return errors.Count == 0
            ? new OpenAIUNet(arguments)
            : throw new InvalidDataException($"{ClassName}: the arguments describe a network that cannot be: {string.Join(" ", errors)}");
    }

    /// <summary>Reads a file of such arguments.</summary>
    /// <param name="file">The file, with a text as <see cref="Parse"/> reads it.</param>
    /// <returns>The network.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no plain file (a named pipe, a socket, a device), or as of <see cref="Parse"/>; the message names the file and the reason.</exception>
    public static OpenAIUNet Read(string file) => DescriptionFile.Read(file, $"the arguments of a {ClassName}", Parse);

    /// <summary>Weights of UNetModel under this library's names, for <see cref="Weights.Load"/>.</summary>
    /// <param name="theirs">Weights under the names of UNetModel; a name that it does not have stays, so that loading reports it.</param>
    /// <returns>Views of the given tensors; the caller disposes them.</returns>
    public TensorDictionary ToOurs(IEnumerable<KeyValuePair<string, Tensor>> theirs)
    {
        ArgumentNullException.ThrowIfNull(theirs);
        return new TensorDictionary(Keys.ToOurs(theirs).Select(entry =>
            KeyValuePair.Create(entry.Key, IsAttention(entry.Key) && entry.Value.dim() == 3 && entry.Value.shape[2] == 1 ? entry.Value.squeeze(-1) : entry.Value.alias()))); // [O, C, 1] → [O, C]
    }

    /// <summary>Weights of this library under the names of UNetModel.</summary>
    /// <param name="ours">Weights of the network that <see cref="Options"/> describes.</param>
    /// <returns>Views of the given tensors; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">UNetModel has no such weight; the message names it.</exception>
    public TensorDictionary ToTheirs(IEnumerable<KeyValuePair<string, Tensor>> ours)
    {
        ArgumentNullException.ThrowIfNull(ours);
        return new TensorDictionary(ours.Select(entry => KeyValuePair.Create(
            Keys.ToTheirs(entry.Key) ?? throw new ArgumentException($"{Keys.Name} has no weight that corresponds to '{entry.Key}'.", nameof(ours)),
            IsAttention(entry.Key) && entry.Value.dim() == 2 ? entry.Value.unsqueeze(-1) : entry.Value.alias()))); // [O, C] → [O, C, 1]
    }

    private static bool IsAttention(string ours) => ours.Contains(".attentions.", StringComparison.Ordinal);
}
