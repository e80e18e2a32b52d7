using System.Text.Json.Nodes;

namespace Diffusion.Models;

/// <summary>From a block list to the configuration of a UNet2DModel, every key of that class in alphabetical order.</summary>
internal static class UNet2DWriter
{
    public static JsonObject Write(UNetOptions options)
    {
        var plan = UNetPlan.Of(options);
        var (dialect, time, mid) = (options.Dialect, options.Dialect.Time, options.Mid.Count > 0 ? options.Mid[0] : null);
        var fourier = time.Kind == TimeEmbeddingKind.Fourier;
        var stem = plan.Stem;
        var groups = mid?.AttentionGroups ?? dialect.Attention.NormGroups;
        var scaleShift = dialect.Residual.TimeInjection == TimeInjection.ScaleShift;
        var residualDown = plan.Down.Any(block => block is { Options.Attention: true, Downsampling: Downsampling.Residual });
        var residualUp = plan.Up.Skip(1).Where((block, i) => block.Upsampling == Upsampling.Residual && plan.Up[i].Options.Attention).Any();
        return new JsonObject
        {
            ["_class_name"] = UNet2DReader.ClassName,
            ["act_fn"] = dialect.Residual.Activation switch { Activation.Relu => "relu", Activation.Gelu => "gelu", Activation.Mish => "mish", _ => "silu" },
            ["add_attention"] = mid?.Attention ?? true,
            ["attention_head_dim"] = dialect.Attention.HeadWidth,
            ["attn_norm_num_groups"] = groups is null || (groups == 0 && scaleShift) ? null : groups,
            ["block_out_channels"] = new JsonArray([.. plan.Down.Select(block => (JsonNode)block.Channels)]),
            ["center_input_sample"] = dialect.CenterInput,
            ["class_embed_type"] = dialect.Labels?.Kind switch { LabelKind.Timestep => "timestep", LabelKind.Identity => "identity", _ => null },
            ["down_block_types"] = new JsonArray([.. plan.Down.Select(block => (JsonNode)DownType(block))]),
            ["downsample_padding"] = options.Downsampling == Downsampling.Convolution3BottomRight ? 0 : 1,
            ["downsample_type"] = residualDown ? "resnet" : "conv",
            ["dropout"] = dialect.Residual.Dropout,
            ["flip_sin_to_cos"] = time.Order == WaveOrder.CosineFirst || (fourier && time.IgnoredFlip),
            ["freq_shift"] = time.FrequencyShift,
            ["in_channels"] = plan.InChannels,
            ["layers_per_block"] = plan.Down[0].Options.Layers,
            ["mid_block_scale_factor"] = mid?.OutputScale ?? dialect.Residual.OutputScale,
            ["mid_block_type"] = mid is null ? null : "UNetMidBlock2D",
            ["norm_eps"] = dialect.Residual.NormEps,
            ["norm_num_groups"] = options.NormGroups,
            ["num_class_embeds"] = dialect.Labels is { Kind: LabelKind.Table } labels ? labels.Classes : null,
            ["num_train_timesteps"] = time.Kind == TimeEmbeddingKind.Table || time.Steps != new TimeEmbeddingOptions().Steps ? time.Steps : null,
            ["out_channels"] = plan.OutChannels,
            ["resnet_time_scale_shift"] = scaleShift ? "scale_shift" : "default",
            ["sample_size"] = options.Image.Height == options.Image.Width ? options.Image.Width : new JsonArray(options.Image.Height, options.Image.Width),
            ["time_embedding_dim"] = options.TimeDimension == 4 * stem ? null : options.TimeDimension,
            ["time_embedding_type"] = fourier ? "fourier" : time.Kind == TimeEmbeddingKind.Table ? "learned" : "positional",
            ["up_block_types"] = new JsonArray([.. plan.Up.Select((block, i) => (JsonNode)UpType(plan, i))]),
            ["upsample_type"] = residualUp ? "resnet" : "conv",
        };
    }

    private static string DownType(BlockPlan block) =>
        block.Options.Attention ? "AttnDownBlock2D" : block.Downsampling == Downsampling.Residual ? "ResnetDownsampleBlock2D" : "DownBlock2D";

    private static string UpType(UNetPlan plan, int block) => plan.Up[block].Options.Attention
        ? "AttnUpBlock2D"
        : block + 1 < plan.Up.Count && plan.Up[block + 1].Upsampling == Upsampling.Residual ? "ResnetUpsampleBlock2D" : "UpBlock2D";
}
