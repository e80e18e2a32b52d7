namespace Diffusion.Models;

/// <summary>The names of the weights of a UNet2DConditionModel: those of a UNet2DModel, and those of transformers in place of attentions.</summary>
internal static class UNet2DConditionKeys
{
    private static readonly (string Ours, string Theirs)[] s_transformer =
    [
        ("norm", "norm"), ("proj_in", "proj_in"), ("proj_out", "proj_out"),
        .. new[] { ("norm1", "norm1"), ("norm2", "norm2"), ("norm3", "norm3"), ("feed.gate", "ff.net.0.proj"), ("feed.out", "ff.net.2") }
            .Concat(Attention("self", "attn1")).Concat(Attention("cross", "attn2"))
            .Select(part => ($"blocks.{{2}}.{part.Item1}", $"transformer_blocks.{{2}}.{part.Item2}")),
    ];

    public static IEnumerable<(string Ours, string Theirs)> Rules(int blocks)
    {
        foreach (var (ours, theirs) in ((string, string)[])[("down.{0}.layers", "down_blocks.{0}"), ("mid.0", "mid_block"), ("up.{0}.layers", "up_blocks.{0}")])
        {
            foreach (var part in s_transformer)
            {
                yield return ($"{ours}.attentions.{{1}}.{part.Ours}.*", $"{theirs}.attentions.{{1}}.{part.Theirs}.*");
            }
        }

        foreach (var rule in UNet2DKeys.Rules(blocks))
        {
            yield return rule;
        }
    }

    private static IEnumerable<(string, string)> Attention(string ours, string theirs) =>
        new[] { ("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("out", "to_out.0") }.Select(part => ($"{ours}.{part.Item1}", $"{theirs}.{part.Item2}"));
}
