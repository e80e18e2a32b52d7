namespace Diffusion.Models;

/// <summary>From the configuration of a UNet2DModel to a block list, with every default of that class.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/models/unets/unet_2d.py.</remarks>
internal static class UNet2DReader
{
    /// <summary>The name of the class in diffusers.</summary>
    public const string ClassName = "UNet2DModel";

    private const string AttentionDown = "AttnDownBlock2D";
    private const string AttentionUp = "AttnUpBlock2D";
    private const string ResidualDown = "ResnetDownsampleBlock2D";
    private const string ResidualUp = "ResnetUpsampleBlock2D";

    private static readonly UNet2DClass s_class = new("UNetMidBlock2D", [AttentionDown, ResidualDown], [AttentionUp, ResidualUp])
    {
        Channels = 3,
        Widths = [224, 448, 672, 896],
        Down = ["DownBlock2D", AttentionDown, AttentionDown, AttentionDown],
        Up = [AttentionUp, AttentionUp, AttentionUp, "UpBlock2D"],
    };

    public static UNetOptions Read(NetworkConfig config)
    {
        var (options, down, up) = s_class.Read(config);
        var residualDown = config.OneOf("downsample_type", "conv", nullable: true, "conv", "resnet") == "resnet";
        var residualUp = config.OneOf("upsample_type", "conv", nullable: true, "conv", "resnet") == "resnet";
        var attention = config.Flag("add_attention", otherwise: true);
        var groups = config.Whole("attn_norm_num_groups", null, none: null) ?? (options.Dialect.Residual.TimeInjection == TimeInjection.ScaleShift ? 0 : null);
        return options with
        {
            Down = [.. options.Down.Select((block, i) => block with { Heads = 1, Downsampling = down[i] == ResidualDown || (residualDown && down[i] == AttentionDown) ? Downsampling.Residual : null })],
            Mid = [.. options.Mid.Select(block => block with { Attention = attention, Heads = 1, AttentionGroups = groups })],
            Up = [.. options.Up.Select((block, i) => block with { Heads = 1, Upsampling = i > 0 && (up[i - 1] == ResidualUp || (residualUp && up[i - 1] == AttentionUp)) ? Upsampling.Residual : null })],
            Dialect = options.Dialect with
            {
                Attention = new() { Projection = AttentionProjection.Separate, HeadWidth = config.Whole("attention_head_dim", 8, none: null) },
                Time = Time(config, options.Dialect.Time, options.Down[0].Channels),
                Labels = Labels(config),
                DivideByTime = TimeType(config) == "fourier",
            },
        };
    }

    private static TimeEmbeddingOptions Time(NetworkConfig config, TimeEmbeddingOptions time, int channels)
    {
        var steps = config.Whole("num_train_timesteps", null, none: null);
        return TimeType(config) switch
        {
            // That class does not pass flip_sin_to_cos on: the sines come first.
            "fourier" => time with
            {
                Kind = TimeEmbeddingKind.Fourier,
                Width = 2 * channels,
                Steps = steps ?? time.Steps,
                Order = WaveOrder.SineFirst,
                IgnoredFlip = time.Order == WaveOrder.CosineFirst,
            },
            "learned" => time with { Kind = TimeEmbeddingKind.Table, Steps = steps ?? config.Needed("num_train_timesteps") },
            _ => time with { Steps = steps ?? time.Steps },
        };
    }

    private static string? TimeType(NetworkConfig config) => config.OneOf("time_embedding_type", "positional", nullable: false, "positional", "fourier", "learned");

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
