using System.Text.Json;

namespace Diffusion.Models;

/// <summary>What the configurations of UNet2DModel and UNet2DConditionModel have in common, with the defaults in which the classes differ.</summary>
/// <param name="Mid">The type of the mid block.</param>
/// <param name="DownTypes">The types of down blocks beside the plain one, those with attention first.</param>
/// <param name="UpTypes">The same of up blocks.</param>
internal sealed record UNet2DClass(string Mid, IReadOnlyList<string> DownTypes, IReadOnlyList<string> UpTypes)
{
    /// <summary>The image size where a configuration says none: networks are convolutional, so it matters to the checks and the summary alone.</summary>
    private const int DefaultSize = 64;

    private const int MaxLevels = 32;

    /// <summary>What the average of a training script puts into the config.json of the network it averages (<c>unet_ema</c>). It says nothing of the network.</summary>
    /// <remarks>huggingface/diffusers, src/diffusers/training_utils.py, EMAModel.save_pretrained.</remarks>
    private static readonly string[] s_average = ["decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup"];

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The channels in and out.</summary>
    public required int Channels { get; init; }

    public required IReadOnlyList<int> Widths { get; init; }

    public required IReadOnlyList<string> Down { get; init; }

    public required IReadOnlyList<string> Up { get; init; }

    /// <summary>Reads a whole configuration, and checks the network that it describes.</summary>
    /// <returns>The network, and the configuration as it was read.</returns>
    public static (UNetOptions Options, string Json) Parse(string json, string className, Func<NetworkConfig, UNetOptions> read)
    {
        var config = NetworkConfig.Parse(json, className);
        config.OneOf("_class_name", className, nullable: false, className);
        var options = read(config);
        foreach (var name in s_average)
        {
            config.Value(name);
        }

        config.ThrowIfUnread();
        var errors = options.Validate().ToList();
        return errors.Count == 0
            ? (options, ToText(config.Json))
            : throw new InvalidDataException($"{className}: the configuration describes a network that cannot be: {string.Join(" ", errors)}");
    }

    /// <summary>A config.json.</summary>
    public static string ToText(object json) => JsonSerializer.Serialize(json, s_indented);

    /// <summary>Reads what both classes have; heads are left to them.</summary>
    /// <returns>The network, and the types of its blocks.</returns>
    public (UNetOptions Options, IReadOnlyList<string> Down, IReadOnlyList<string> Up) Read(NetworkConfig config)
    {
        var widths = config.Wholes("block_out_channels", Widths);
        var down = config.Texts("down_block_types", Down, ["DownBlock2D", .. DownTypes]);
        var up = config.Texts("up_block_types", Up, ["UpBlock2D", .. UpTypes]);
        if (widths.Count == 0 || down.Count != widths.Count || up.Count != widths.Count || widths.Any(width => width < 1))
        {
            throw new InvalidDataException(
                $"{config.ClassName}: \"block_out_channels\" has {widths.Count} widths ([{string.Join(", ", widths)}], each at least 1), \"down_block_types\" {down.Count} blocks and \"up_block_types\" {up.Count}; they must be as many.");
        }

        if (widths.Count > MaxLevels)
        {
            throw new InvalidDataException($"{config.ClassName}: \"block_out_channels\" has {widths.Count} widths; each block but the last halves the image, and {MaxLevels} are the most possible.");
        }

        var layers = config.Layers("layers_per_block", 2);
        var (inChannels, outChannels) = (config.Whole("in_channels", Channels), config.Whole("out_channels", Channels));
        var (height, width) = Size(config);
        var image = new ImageShape(Math.Min(inChannels, outChannels), height, width);
        return (new UNetOptions
        {
            Image = image,
            StemChannels = widths[0],
            Down = [.. widths.Select((width, i) => new DownBlockOptions { Channels = width, Layers = layers, Attention = down[i] == DownTypes[0], Downsample = i < widths.Count - 1 })],
            Mid = MidBlocks(config, widths[^1]),
            Up = [.. widths.Reverse().Select((width, i) => new UpBlockOptions { Channels = width, Layers = layers + 1, Attention = up[i] == UpTypes[0], Upsample = i > 0 })],
            TimeDimension = config.Whole("time_embedding_dim", null, none: null) is { } dimension and not 0 ? dimension : 4 * widths[0],
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
                Time = new()
                {
                    Width = widths[0],
                    Order = config.Flag("flip_sin_to_cos", otherwise: true) ? WaveOrder.CosineFirst : WaveOrder.SineFirst,
                    FrequencyShift = config.Number("freq_shift", 0),
                },
                Skips = SkipConnections.Layer,
                ExtraChannels = inChannels - image.Channels,
                OutChannels = outChannels == image.Channels ? null : outChannels,
                CenterInput = config.Flag("center_input_sample", otherwise: false),
            },
        }, down, up);
    }

    private static (int Height, int Width) Size(NetworkConfig config) => config.Value("sample_size") switch
    {
        null or { ValueKind: JsonValueKind.Null } => (DefaultSize, DefaultSize),
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var size) => (size, size),
        { ValueKind: JsonValueKind.Array } => config.Wholes("sample_size", []) is [var height, var width] ? (height, width) : throw config.Wrong("sample_size", config.Value("sample_size")!.Value, "a height and a width"),
        { } value => throw config.Wrong("sample_size", value, "a size, a height and a width, or null"),
    };

    private MidBlockOptions[] MidBlocks(NetworkConfig config, int width)
    {
        var scale = config.Number("mid_block_scale_factor", 1);
        return config.OneOf("mid_block_type", Mid, nullable: true, Mid) is null ? [] : [new() { Channels = width, OutputScale = scale == 1 ? null : scale }];
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
}
