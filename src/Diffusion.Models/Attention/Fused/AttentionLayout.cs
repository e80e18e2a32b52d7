using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Where the heads of queries, keys and values lie: in one tensor of tokens or in three.</summary>
internal sealed record AttentionLayout(int Heads, int Width, HeadLayout Query, HeadLayout Key, HeadLayout Value)
{
    /// <summary>The features of all heads together.</summary>
    public int Inner => Heads * Width;

    /// <summary>That of a self-attention.</summary>
    public static AttentionLayout Of(AttentionPlan plan) => plan.Projection switch
    {
        AttentionProjection.Separate => Separate(plan.Heads, plan.HeadWidth),
        AttentionProjection.JointByHead => JointByHead(plan.Heads, plan.HeadWidth),
        _ => Joint(plan.Heads, plan.HeadWidth),
    };

    /// <summary>Three tensors, in each one head after the other.</summary>
    public static AttentionLayout Separate(int heads, int width) => new(heads, width, HeadLayout.Alone(width), HeadLayout.Alone(width), HeadLayout.Alone(width));

    /// <summary>One tensor with all queries, all keys, all values of a token.</summary>
    public static AttentionLayout Joint(int heads, int width) => new(
        heads, width, new(0, width, width), new(heads * width, width, width), new(2 * heads * width, width, width));

    /// <summary>One tensor with query, key and value of one head after the other.</summary>
    public static AttentionLayout JointByHead(int heads, int width) => new(
        heads, width, new(0, 3 * width, width), new(width, 3 * width, width), new(2 * width, 3 * width, width));

    /// <summary>The kernel for tokens of a type.</summary>
    /// <returns><see langword="null"/> where this machine cannot run it.</returns>
    public IAttentionKernel? Kernel(int images, bool narrow)
    {
        var features = AttentionTile.Padded(Width);
        return !AttentionTile.IsSupported ? null
            : narrow && TileProduct.MultipliesNarrow ? AttentionProducts.For<BFloat16Tile>(features) is { } pairs ? new AttentionKernel<BFloat16Tile>(images, Heads, Width, pairs) : null
            : AttentionProducts.For<Float32Tile>(features) is { } floats ? new AttentionKernel<Float32Tile>(images, Heads, Width, floats) : null;
    }

    /// <summary>The heads of one tensor, or of three.</summary>
    public (HeadView Query, HeadView Key, HeadView Value) Views(Tensor[] tokens) => (new(tokens[0], Query), new(tokens[tokens.Length / 2], Key), new(tokens[^1], Value));

    /// <summary>The heads as views, [B, heads, N, d] each.</summary>
    public (Tensor Query, Tensor Key, Tensor Value) Split(Tensor[] tokens) =>
        (Heads4(tokens[0], Query), Heads4(tokens[tokens.Length / 2], Key), Heads4(tokens[^1], Value));

    /// <summary>The heads of a tensor [B, N, heads·d] of nothing else.</summary>
    public HeadView Whole(Tensor tokens) => new(tokens, HeadLayout.Alone(Width));

    private Tensor Heads4(Tensor tokens, HeadLayout part) => tokens
        .narrow(2, part.Offset / part.Stride * part.Stride, Heads * part.Stride)
        .unflatten(2, [Heads, part.Stride]) // [B, N, heads·stride] → [B, N, heads, stride]
        .narrow(3, part.Offset % part.Stride, Width)
        .transpose(1, 2); // → [B, heads, N, d]
}
