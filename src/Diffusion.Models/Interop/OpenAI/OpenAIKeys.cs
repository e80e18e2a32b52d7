namespace Diffusion.Models;

/// <summary>The names of the weights of a UNetModel: its blocks are numbered through, and each up block there ends with the upsampling with which the next one begins here.</summary>
internal static class OpenAIKeys
{
    public static IEnumerable<(string Ours, string Theirs)> Rules(UNetOptions options)
    {
        var plan = UNetPlan.Of(options);
        return
        [
            ("conv_in.*", "input_blocks.0.0.*"),
            ("time.linear1.*", "time_embed.0.*"),
            ("time.linear2.*", "time_embed.2.*"),
            ("labels.table.*", "label_emb.*"),
            .. Down(plan),
            .. Layer("mid.0", 0, "middle_block.0", null),
            .. Layer("mid.0", 1, "middle_block.2", null),
            .. Attention("mid.0.attentions.0", "middle_block.1"),
            .. Up(plan),
            ("norm_out.*", "out.0.*"),
            ("conv_out.*", "out.2.*"),
        ];
    }

    private static List<(string Ours, string Theirs)> Down(UNetPlan plan)
    {
        var rules = new List<(string Ours, string Theirs)>();
        var next = 1;
        for (var i = 0; i < plan.Down.Count; i++)
        {
            var block = plan.Down[i];
            for (var layer = 0; layer < block.Residuals; layer++, next++)
            {
                rules.AddRange(Layer($"down.{i}.layers", layer, $"input_blocks.{next}.0", block.Options.Attention ? $"input_blocks.{next}.1" : null));
            }

            if (block.Resamples)
            {
                rules.AddRange(Residual($"down.{i}.downsample", $"input_blocks.{next}.0").Prepend(($"down.{i}.downsample.*", $"input_blocks.{next}.0.op.*")));
                next++;
            }
        }

        return rules;
    }

    private static List<(string Ours, string Theirs)> Up(UNetPlan plan)
    {
        var rules = new List<(string Ours, string Theirs)>();
        var next = 0;
        for (var i = 0; i < plan.Up.Count; i++)
        {
            var block = plan.Up[i];
            for (var layer = 0; layer < block.Residuals; layer++, next++)
            {
                rules.AddRange(Layer($"up.{i}.layers", layer, $"output_blocks.{next}.0", block.Options.Attention ? $"output_blocks.{next}.1" : null));
            }

            if (i + 1 < plan.Up.Count)
            {
                var theirs = $"output_blocks.{next - 1}.{(block.Options.Attention ? 2 : 1)}";
                rules.AddRange(Residual($"up.{i + 1}.upsample", theirs).Prepend(($"up.{i + 1}.upsample.*", $"{theirs}.conv.*")));
            }
        }

        return rules;
    }

    private static IEnumerable<(string Ours, string Theirs)> Layer(string ours, int layer, string residual, string? attention) =>
        [.. Residual($"{ours}.residuals.{layer}", residual), .. attention is null ? [] : Attention($"{ours}.attentions.{layer}", attention)];

    private static IEnumerable<(string Ours, string Theirs)> Attention(string ours, string theirs) =>
        [($"{ours}.norm.*", $"{theirs}.norm.*"), ($"{ours}.qkv.*", $"{theirs}.qkv.*"), ($"{ours}.out.*", $"{theirs}.proj_out.*")];

    private static IEnumerable<(string Ours, string Theirs)> Residual(string ours, string theirs) =>
    [
        ($"{ours}.norm1.*", $"{theirs}.in_layers.0.*"),
        ($"{ours}.conv1.*", $"{theirs}.in_layers.2.*"),
        ($"{ours}.time.*", $"{theirs}.emb_layers.1.*"),
        ($"{ours}.norm2.*", $"{theirs}.out_layers.0.*"),
        ($"{ours}.conv2.*", $"{theirs}.out_layers.3.*"),
        ($"{ours}.shortcut.*", $"{theirs}.skip_connection.*"),
    ];
}
