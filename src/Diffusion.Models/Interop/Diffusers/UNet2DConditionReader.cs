using System.Text.Json;

namespace Diffusion.Models;

/// <summary>From the configuration of a UNet2DConditionModel to a block list with a context, with every default of that class.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/models/unets/unet_2d_condition.py.</remarks>
internal static class UNet2DConditionReader
{
    /// <summary>The name of the class in diffusers.</summary>
    public const string ClassName = "UNet2DConditionModel";

    private const string AttentionDown = "CrossAttnDownBlock2D";
    private const string AttentionUp = "CrossAttnUpBlock2D";

    private static readonly UNet2DClass s_class = new("UNetMidBlock2DCrossAttn", [AttentionDown], [AttentionUp])
    {
        Channels = 4,
        Widths = [320, 640, 1280, 1280],
        Down = [AttentionDown, AttentionDown, AttentionDown, "DownBlock2D"],
        Up = ["UpBlock2D", AttentionUp, AttentionUp, AttentionUp],
    };

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

    public static UNetOptions Read(NetworkConfig config)
    {
        foreach (var (name, needed) in s_absent)
        {
            if (config.Value(name) is { } value && value.GetRawText() is var text && text != needed && text != needed + ".0")
            {
                throw config.Wrong(name, value, $"{needed}, the only value that this library knows");
            }
        }

        config.Flag("upcast_attention", otherwise: false); // matters in half precision only
        var (options, _, _) = s_class.Read(config);
        if (options.Dialect.Residual.Activation != Activation.Silu)
        {
            throw config.Wrong("act_fn", config.Value("act_fn")!.Value, "silu or swish: this class computes the time embedding and its last activation with it as well, where this library has SiLU");
        }

        var heads = Heads(config, options.Down.Count);
        return options with
        {
            Down = [.. options.Down.Select((block, i) => block with { Heads = heads[i] })],
            Mid = [.. options.Mid.Select(block => block with { Heads = heads[^1] })],
            Up = [.. options.Up.Select((block, i) => block with { Heads = heads[^(i + 1)] })],
            Dialect = options.Dialect with
            {
                Context = new()
                {
                    Channels = config.Whole("cross_attention_dim", 1280),
                    Layers = config.Layers("transformer_layers_per_block", 1),
                    LinearProjection = config.Flag("use_linear_projection", otherwise: false),
                },
            },
        };
    }

    /// <summary>The heads of each block: a whole number for all, or a list. That class calls them attention_head_dim, too.</summary>
    private static IReadOnlyList<int> Heads(NetworkConfig config, int blocks)
    {
        var name = config.Whole("num_attention_heads", null, none: null) is null ? "attention_head_dim" : "num_attention_heads";
        config.Value("attention_head_dim"); // read, also where num_attention_heads goes before it
        IReadOnlyList<int> heads = config.Value(name) is { ValueKind: JsonValueKind.Array } ? config.Wholes(name, []) : [.. Enumerable.Repeat(config.Whole(name, 8), blocks)];
        return heads.Count == blocks
            ? heads
            : throw new InvalidDataException($"{config.ClassName}: \"{name}\" has {heads.Count} numbers for {blocks} blocks; they must be as many.");
    }
}
