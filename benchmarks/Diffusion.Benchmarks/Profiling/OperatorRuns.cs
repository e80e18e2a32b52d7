using Diffusion.Kernels;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The operators between the layers of a network, from its plan: attention without its linear maps, activations, sums and joins.</summary>
internal static class OperatorRuns
{
    /// <summary>Each operator of each block, for a batch.</summary>
    /// <param name="options">The network.</param>
    /// <param name="batch">The images.</param>
    /// <param name="calls">The parts that were called: what a block does without calling a layer, it does as one operation.</param>
    public static IEnumerable<OperatorRun> Of(UNetOptions options, int batch, IReadOnlyList<ModuleCall> calls)
    {
        var (plan, leaves) = (UNetPlan.Of(options), calls.Where(call => call.IsLeaf).ToList());
        bool AsOne<TBlock>(int channels, BlockPlan block) => leaves.Exists(call => call.Module is TBlock && call.Inputs[0].Shape is [_, var some, var height, var width] && (some, height, width) == (channels, block.Height, block.Width));
        var convolves = leaves.Exists(call => call.Module is Conv2d { Parameters.Shape: { Kernel: 3, Stride: 1, InChannels: >= 32, OutChannels: >= 32 } });
        foreach (var block in plan.Down.Concat(plan.Mid).Concat(plan.Up))
        {
            for (var i = 0; i < block.Residuals; i++)
            {
                foreach (var run in Residual(block, i, batch, AsOne<ResidualBlock>(block.Residual(i).InChannels, block), normed: !convolves))
                {
                    yield return run;
                }
            }

            for (var i = 0; i < block.Attentions && !AsOne<SelfAttention>(block.Attention().Channels, block); i++)
            {
                foreach (var run in Attention(block.Attention(), batch, block.Height, block.Width))
                {
                    yield return run;
                }
            }
        }

        yield return new(LayerFamily.Activation, [[batch, plan.LastChannels, options.Image.Height, options.Image.Width]], inputs => nn.functional.silu(inputs[0]));
    }

    private static IEnumerable<OperatorRun> Residual(BlockPlan block, int layer, int batch, bool asOne, bool normed)
    {
        var plan = block.Residual(layer);
        long[] before = [batch, plan.InChannels, block.Height, block.Width];
        long[] after = [batch, plan.OutChannels, block.Height, block.Width];
        if (layer < block.Skips.Count)
        {
            var skip = block.Skips[layer];
            yield return new(LayerFamily.Joins, [[batch, plan.InChannels - skip, block.Height, block.Width], [batch, skip, block.Height, block.Width]], inputs => cat([inputs[0], inputs[1]], 1));
        }

        if (asOne)
        {
            yield break;
        }

        foreach (var (channels, shape) in new[] { (plan.InChannels, before), (plan.OutChannels, after) })
        {
            if (normed && Math.Min(channels, plan.OutChannels) >= 32)
            {
                var (norm, convolution) = (new GroupNorm(plan.Groups, channels), new Conv2d(channels, plan.OutChannels, 3, padding: 1));
                yield return new(LayerFamily.Normed, [shape], inputs => Functional.NormSiluConv2d(inputs[0], norm.Parameters, convolution.Parameters)) { Outputs = plan.OutChannels };
            }
            else
            {
                yield return new(LayerFamily.Activation, [shape], inputs => nn.functional.silu(inputs[0]));
            }
        }

        yield return new(LayerFamily.Joins, [after, after], inputs => inputs[0] + inputs[1]);
    }

    private static IEnumerable<OperatorRun> Attention(AttentionPlan plan, int batch, int height, int width)
    {
        long pixels = height * width;
        long[] images = [batch, plan.Channels, height, width];
        long[] part = [batch, pixels, plan.Heads * plan.HeadWidth];
        long[][] tokens = plan.Projection == AttentionProjection.Separate ? [part, part, part] : [[batch, pixels, 3 * plan.Heads * plan.HeadWidth]];
        yield return new(LayerFamily.Products, tokens, inputs => Functional.Attention(plan.Layout, [.. inputs]));
        yield return new(LayerFamily.Joins, [images, images], inputs => inputs[0] + inputs[1]);
        yield return new(LayerFamily.Tokens, [images], inputs => inputs[0].flatten(2).transpose(1, 2).contiguous()); // [B, C, H, W] → [B, H·W, C]
        yield return new(LayerFamily.Tokens, [[batch, pixels, plan.Channels]], inputs => inputs[0].transpose(1, 2).contiguous()); // [B, H·W, C] → [B, C, H·W]
    }
}
