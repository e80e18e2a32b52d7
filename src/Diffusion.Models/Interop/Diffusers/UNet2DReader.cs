using System.Text.Json;

namespace Diffusion.Models;

/// <summary>From the configuration of a UNet2DModel to a block list, with every default of that class.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/models/unets/unet_2d.py.</remarks>
internal static class UNet2DReader
{
    /// <summary>The image size where a configuration says none: networks are convolutional, so it matters to the checks and the summary alone.</summary>
    private const int DefaultSize = 64;

    private static readonly int[] s_channels = [224, 448, 672, 896];
    private static readonly string[] s_down = ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"];
    private static readonly string[] s_up = ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"];

    public static UNetOptions Read(NetworkConfig config)
    {
        var channels = config.Wholes("block_out_channels", s_channels);
        var down = config.Texts("down_block_types", s_down, "DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D");
        var up = config.Texts("up_block_types", s_up, "UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D");
        if (channels.Count == 0 || down.Count != channels.Count || up.Count != channels.Count || channels.Any(width => width < 1))
        {
            throw new InvalidDataException(
                $"{config.ClassName}: \"block_out_channels\" has {channels.Count} widths ([{string.Join(", ", channels)}], each at least 1), \"down_block_types\" {down.Count} blocks and \"up_block_types\" {up.Count}; they must be as many.");
        }

        var layers = config.Layers("layers_per_block", 2);
        var residualDown = config.OneOf("downsample_type", "conv", nullable: true, "conv", "resnet") == "resnet";
        var residualUp = config.OneOf("upsample_type", "conv", nullable: true, "conv", "resnet") == "resnet";
        var heads = 1;
        var (inChannels, outChannels) = (config.Whole("in_channels", 3), config.Whole("out_channels", 3));
        var (height, width) = Size(config);
        var image = new ImageShape(Math.Min(inChannels, outChannels), height, width);
        var options = new UNetOptions
        {
            Image = image,
            StemChannels = channels[0],
            Down =
            [
                .. channels.Select((width, i) => new DownBlockOptions
                {
                    Channels = width, Layers = layers, Attention = down[i] == "AttnDownBlock2D", Heads = heads, Downsample = i < channels.Count - 1,
                    Downsampling = down[i] == "ResnetDownsampleBlock2D" || (residualDown && down[i] == "AttnDownBlock2D") ? Downsampling.Residual : null,
                }),
            ],
            Mid = Mid(config, channels[^1], heads),
            Up =
            [
                .. channels.Reverse().Select((width, i) => new UpBlockOptions
                {
                    Channels = width, Layers = layers + 1, Attention = up[i] == "AttnUpBlock2D", Heads = heads, Upsample = i > 0,
                    Upsampling = i > 0 && (up[i - 1] == "ResnetUpsampleBlock2D" || (residualUp && up[i - 1] == "AttnUpBlock2D")) ? Upsampling.Residual : null,
                }),
            ],
            TimeDimension = config.Whole("time_embedding_dim", null, none: null) is { } dimension and not 0 ? dimension : 4 * channels[0],
            NormGroups = config.Whole("norm_num_groups", 32),
            Downsampling = config.Whole("downsample_padding", 1) switch
            {
                0 => Downsampling.Convolution3BottomRight,
                1 => Downsampling.Convolution3,
                _ => throw config.Wrong("downsample_padding", config.Value("downsample_padding")!.Value, "0 or 1"),
            },
            ZeroInitialize = false,
            Dialect = new UNetDialect
            {
                Residual = Residual(config),
                Attention = new() { Projection = AttentionProjection.Separate, HeadWidth = config.Whole("attention_head_dim", 8, none: null) },
                Time = Time(config, channels[0]),
                Labels = Labels(config),
                Skips = SkipConnections.Layer,
                ExtraChannels = inChannels - image.Channels,
                OutChannels = outChannels == image.Channels ? null : outChannels,
                CenterInput = config.Flag("center_input_sample", otherwise: false),
                DivideByTime = config.OneOf("time_embedding_type", "positional", nullable: false, "positional", "fourier", "learned") == "fourier",
            },
        };
        config.ThrowIfUnread();
        return options;
    }

    private static (int Height, int Width) Size(NetworkConfig config) => config.Value("sample_size") switch
    {
        null or { ValueKind: JsonValueKind.Null } => (DefaultSize, DefaultSize),
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var size) => (size, size),
        { ValueKind: JsonValueKind.Array } => config.Wholes("sample_size", []) is [var height, var width] ? (height, width) : throw config.Wrong("sample_size", config.Value("sample_size")!.Value, "a height and a width"),
        { } value => throw config.Wrong("sample_size", value, "a size, a height and a width, or null"),
    };

    private static MidBlockOptions[] Mid(NetworkConfig config, int channels, int heads)
    {
        var groups = config.Whole("attn_norm_num_groups", null, none: null);
        var (attention, scale) = (config.Flag("add_attention", otherwise: true), config.Number("mid_block_scale_factor", 1));
        var scaleShift = config.OneOf("resnet_time_scale_shift", "default", nullable: false, "default", "scale_shift") == "scale_shift";
        return config.OneOf("mid_block_type", "UNetMidBlock2D", nullable: true, "UNetMidBlock2D") is null
            ? []
            : [new() { Channels = channels, Attention = attention, Heads = heads, AttentionGroups = groups ?? (scaleShift ? 0 : null), OutputScale = scale == 1 ? null : scale }];
    }

    private static ResidualOptions Residual(NetworkConfig config) => new()
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
    };

    private static TimeEmbeddingOptions Time(NetworkConfig config, int channels)
    {
        var order = config.Flag("flip_sin_to_cos", otherwise: true) ? WaveOrder.CosineFirst : WaveOrder.SineFirst;
        var shift = config.Number("freq_shift", 0);
        var steps = config.Whole("num_train_timesteps", null, none: null);
        return config.OneOf("time_embedding_type", "positional", nullable: false, "positional", "fourier", "learned") switch
        {
            "fourier" => new() { Kind = TimeEmbeddingKind.Fourier, Width = 2 * channels }, // that class does not pass flip_sin_to_cos on
            "learned" => new() { Kind = TimeEmbeddingKind.Table, Width = channels, Order = order, FrequencyShift = shift, Steps = steps ?? config.Needed("num_train_timesteps") },
            _ => new() { Width = channels, Order = order, FrequencyShift = shift, Steps = steps ?? new TimeEmbeddingOptions().Steps },
        };
    }

    private static LabelOptions? Labels(NetworkConfig config)
    {
        var classes = config.Whole("num_class_embeds", null, none: null);
        return config.OneOf("class_embed_type", null, nullable: true, "timestep", "identity") switch
        {
            "timestep" => new() { Kind = LabelKind.Timestep },
            "identity" => new() { Kind = LabelKind.Identity },
            _ => classes is { } count ? new() { Classes = count } : null,
        };
    }
}
