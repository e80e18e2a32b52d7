using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>What a <see cref="SelfAttention"/> consists of, for those who run it as one operation.</summary>
/// <param name="Plan">Heads and widths.</param>
/// <param name="Norm">Before the projections, if any.</param>
/// <param name="Projections">To queries, keys and values: one map or three, with biases.</param>
/// <param name="Last">After attention, with a bias.</param>
internal sealed record SelfAttentionLayers(AttentionPlan Plan, GroupNorm? Norm, IReadOnlyList<Linear> Projections, Linear Last)
{
    private const int Vector = 16;

    /// <summary>Where heads lie in what the projections make.</summary>
    public AttentionLayout Layout { get; } = AttentionLayout.Of(Plan);

    /// <summary>Where they lie in one tensor of all that.</summary>
    public AttentionLayout Joint { get; } = Plan.Projection == AttentionProjection.Separate ? AttentionLayout.Joint(Plan.Heads, Plan.HeadWidth) : AttentionLayout.Of(Plan);

    /// <summary>Whether images and layers are such that <see cref="ImageAttention{T}"/> reads them, and attention is fastest on tiles.</summary>
    public bool Fit(Tensor images) =>
        Plan.OutputScale is 1 && Plan.Channels % Vector == 0 && Plan.Inner % Vector == 0
        && images.dim() == 4 && images.is_contiguous() && images.dtype == (LayerPrecision.IsNarrow(Last.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
        && (images.dtype == ScalarType.BFloat16 ? LinearKernel<BFloat16Tile>.IsAvailable : LinearKernel<Float32Tile>.IsAvailable)
        && images.size(2) * images.size(3) is >= LinearImages<Float32Tile>.FewestPixels and var tokens
        && FusedAttention.Pays(Layout, images.dtype, images.device_type, images.size(0), tokens, tokens)
        && (Norm is null || Norm.Weight.dtype == ScalarType.Float32) && IsReadable(Last) && Projections.All(IsReadable);

    private static bool IsReadable(Linear linear) => linear.Weight.dtype == ScalarType.Float32 && linear.Weight.is_contiguous() && linear.Bias is not null;
}
