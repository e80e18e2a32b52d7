namespace Diffusion.Models;

/// <summary>The names of the weights of a UNet2DModel. Each up block there ends with the upsampling with which the next one begins here.</summary>
internal static class UNet2DKeys
{
    private static readonly (string Ours, string Theirs)[] s_residual =
    [
        ("norm1", "norm1"), ("conv1", "conv1"), ("time", "time_emb_proj"), ("norm2", "norm2"), ("conv2", "conv2"), ("shortcut", "conv_shortcut"),
    ];

    /// <summary>The present names of attention, and the former ones, which are read only.</summary>
    private static readonly (string Ours, string Theirs)[] s_attention =
    [
        ("norm", "group_norm"), ("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("out", "to_out.0"),
        ("query", "query"), ("key", "key"), ("value", "value"), ("out", "proj_attn"),
    ];

    public static IEnumerable<(string Ours, string Theirs)> Rules(int blocks)
    {
        yield return ("conv_in.*", "conv_in.*");
        yield return ("time.waves.*", "time_proj.*");
        yield return ("time.linear{0}.*", "time_embedding.linear_{0}.*");
        yield return ("labels.table.*", "class_embedding.*");
        yield return ("labels.linear{0}.*", "class_embedding.linear_{0}.*");
        yield return ("norm_out.*", "conv_norm_out.*");
        yield return ("conv_out.*", "conv_out.*");
        foreach (var (ours, theirs) in ((string, string)[])[("down.{0}.layers", "down_blocks.{0}"), ("mid.0", "mid_block"), ("up.{0}.layers", "up_blocks.{0}")])
        {
            foreach (var part in s_residual)
            {
                yield return ($"{ours}.residuals.{{1}}.{part.Ours}.*", $"{theirs}.resnets.{{1}}.{part.Theirs}.*");
            }

            foreach (var part in s_attention)
            {
                yield return ($"{ours}.attentions.{{1}}.{part.Ours}.*", $"{theirs}.attentions.{{1}}.{part.Theirs}.*");
            }
        }

        foreach (var rule in Resampling("down.{0}.downsample", "down_blocks.{0}.downsamplers.0"))
        {
            yield return rule;
        }

        for (var i = 0; i + 1 < blocks; i++)
        {
            foreach (var rule in Resampling($"up.{i + 1}.upsample", $"up_blocks.{i}.upsamplers.0"))
            {
                yield return rule;
            }
        }
    }

    private static IEnumerable<(string Ours, string Theirs)> Resampling(string ours, string theirs) =>
        s_residual.Select(part => ($"{ours}.{part.Ours}.*", $"{theirs}.{part.Theirs}.*")).Prepend(($"{ours}.*", $"{theirs}.conv.*"));
}
