using System.Text.Json;

namespace Diffusion.Models;

/// <summary>From the configuration of a UNet2DConditionModel to a block list and its context, with every default of that class.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/models/unets/unet_2d_condition.py.</remarks>
internal static class UNet2DConditionReader
{
    private const int DefaultSize = 64;

    private static readonly int[] s_channels = [320, 640, 1280, 1280];
    private static readonly string[] s_down = ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"];
    private static readonly string[] s_up = ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"];

    /// <summary>What this library does not have, and the value with which it is not there.</summary>
    private static readonly (string Name, string Value)[] s_absent =
    [
        ("addition_embed_type", "null"), ("addition_embed_type_num_heads", "64"), ("addition_time_embed_dim", "null"), ("attention_type", "\"default\""),
        ("class_embed_type", "null"), ("class_embeddings_concat", "false"), ("conv_in_kernel", "3"), ("conv_out_kernel", "3"), ("cross_attention_norm", "null"),
        ("dual_cross_attention", "false"), ("encoder_hid_dim", "null"), ("encoder_hid_dim_type", "null"), ("mid_block_only_cross_attention", "null"),
        ("num_class_embeds", "null"), ("only_cross_attention", "false"), ("projection_class_embeddings_input_dim", "null"), ("resnet_out_scale_factor", "1"),
        ("resnet_skip_time_act", "false"), ("reverse_transformer_layers_per_block", "null"), ("time_cond_proj_dim", "null"), ("time_embedding_act_fn", "null"),
        ("time_embedding_type", "\"positional\""), ("timestep_post_act", "null"),
    ];

    public static (UNetOptions Options, ContextOptions Context) Read(NetworkConfig config)
    {
        foreach (var (name, needed) in s_absent)
        {
            if (config.Value(name) is { } value && value.GetRawText() is var text && text != needed && text != needed + ".0")
            {
                throw config.Wrong(name, value, $"{needed}, the only value that this library knows");
            }
        }

        config.Flag("upcast_attention", otherwise: false); // matters in half precision only
        var channels = config.Wholes("block_out_channels", s_channels);
        var down = config.Texts("down_block_types", s_down, "DownBlock2D", "CrossAttnDownBlock2D");
        var up = config.Texts("up_block_types", s_up, "UpBlock2D", "CrossAttnUpBlock2D");
        var heads = Each(config, config.Whole("num_attention_heads", null, none: null) is null ? "attention_head_dim" : "num_attention_heads", 8, channels.Count);
        if (channels.Count == 0 || down.Count != channels.Count || up.Count != channels.Count || heads.Count != channels.Count || channels.Any(width => width < 1))
        {
            throw new InvalidDataException(
                $"{config.ClassName}: \"block_out_channels\" has {channels.Count} widths ([{string.Join(", ", channels)}], each at least 1), \"down_block_types\" {down.Count} blocks, \"up_block_types\" {up.Count} and \"attention_head_dim\" {heads.Count}; they must be as many.");
        }

        config.Value("attention_head_dim"); // read, also where num_attention_heads goes before it
        var layers = config.Layers("layers_per_block", 2);
        var (inChannels, outChannels) = (config.Whole("in_channels", 4), config.Whole("out_channels", 4));
        var (height, width) = Size(config);
        var image = new ImageShape(Math.Min(inChannels, outChannels), height, width);
        var options = new UNetOptions
        {
            Image = image,
            StemChannels = channels[0],
            Down = [.. channels.Select((width, i) => new DownBlockOptions { Channels = width, Layers = layers, Attention = down[i] == "CrossAttnDownBlock2D", Heads = heads[i], Downsample = i < channels.Count - 1 })],
            Mid = Mid(config, channels[^1], heads[^1]),
            Up = [.. Enumerable.Range(0, channels.Count).Select(i => new UpBlockOptions { Channels = channels[^(i + 1)], Layers = layers + 1, Attention = up[i] == "CrossAttnUpBlock2D", Heads = heads[^(i + 1)], Upsample = i > 0 })],
            TimeDimension = config.Whole("time_embedding_dim", null, none: null) is { } dimension and not 0 ? dimension : 4 * channels[0],
            NormGroups = config.Whole("norm_num_groups", 32),
            Downsampling = config.Whole("downsample_padding", 1) switch
            {
                0 => Downsampling.Convolution3BottomRight,
                1 => Downsampling.Convolution3,
                _ => throw config.Wrong("downsample_padding", config.Value("downsample_padding")!.Value, "0 or 1"),
            },
            ZeroInitialize = false,
            Dialect = Dialect(config, channels[0]) with { ExtraChannels = inChannels - image.Channels, OutChannels = outChannels == image.Channels ? null : outChannels },
        };
        var context = new ContextOptions
        {
            Channels = config.Whole("cross_attention_dim", 1280),
            Layers = config.Layers("transformer_layers_per_block", 1),
            LinearProjection = config.Flag("use_linear_projection", otherwise: false),
        };
        config.ThrowIfUnread();
        return (options, context);
    }

    private static UNetDialect Dialect(NetworkConfig config, int channels) => new()
    {
        Residual = new()
        {
            NormEps = config.Number("norm_eps", 1e-5),
            Dropout = config.Number("dropout", 0),
            TimeInjection = config.OneOf("resnet_time_scale_shift", "default", nullable: false, "default", "scale_shift") == "default" ? TimeInjection.Add : TimeInjection.ScaleShift,
            Activation = config.OneOf("act_fn", "silu", nullable: false, "silu", "swish", "relu", "gelu", "mish") switch
            {
                "relu" => Activation.Relu,
                "gelu" => Activation.Gelu,
                "mish" => Activation.Mish,
                _ => Activation.Silu,
            },
        },
        Time = new()
        {
            Width = channels,
            Order = config.Flag("flip_sin_to_cos", otherwise: true) ? WaveOrder.CosineFirst : WaveOrder.SineFirst,
            FrequencyShift = config.Whole("freq_shift", 0),
        },
        Skips = SkipConnections.Layer,
        CenterInput = config.Flag("center_input_sample", otherwise: false),
    };

    private static MidBlockOptions[] Mid(NetworkConfig config, int channels, int heads)
    {
        var scale = config.Number("mid_block_scale_factor", 1);
        return config.OneOf("mid_block_type", "UNetMidBlock2DCrossAttn", nullable: true, "UNetMidBlock2DCrossAttn") is null
            ? []
            : [new() { Channels = channels, Heads = heads, OutputScale = scale == 1 ? null : scale }];
    }

    /// <summary>A whole number for all blocks, or a list of one for each.</summary>
    private static IReadOnlyList<int> Each(NetworkConfig config, string name, int otherwise, int blocks) => config.Value(name) switch
    {
        { ValueKind: JsonValueKind.Array } => config.Wholes(name, []),
        _ => [.. Enumerable.Repeat(config.Whole(name, otherwise), blocks)],
    };

    private static (int Height, int Width) Size(NetworkConfig config) => config.Value("sample_size") switch
    {
        null or { ValueKind: JsonValueKind.Null } => (DefaultSize, DefaultSize),
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var size) => (size, size),
        { ValueKind: JsonValueKind.Array } => config.Wholes("sample_size", []) is [var height, var width] ? (height, width) : throw config.Wrong("sample_size", config.Value("sample_size")!.Value, "a height and a width"),
        { } value => throw config.Wrong("sample_size", value, "a size, a height and a width, or null"),
    };
}
