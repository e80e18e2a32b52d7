using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>softmax(q·kᵀ/√d)·v over heads, of tokens as linear maps leave them.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, Eq. 1 and section 3.2.2.</remarks>
internal static class AttentionProduct
{
    /// <summary>Attends, in the way that is fastest for the shapes (docs/performance.md).</summary>
    /// <param name="layout">Where in the features of a token the heads lie.</param>
    /// <param name="tokens">Queries, keys and values in one tensor [B, N, …], or queries [B, N, …], keys [B, L, …] and values [B, L, …].</param>
    /// <returns>[B, N, heads·d].</returns>
    public static Tensor Apply(AttentionLayout layout, params Tensor[] tokens) =>
        FusedAttention.Pays(layout, tokens) ? FusedAttention.Apply(layout, tokens) : Products(layout, tokens);

    /// <summary>Attends through operations of libtorch, which have every derivative.</summary>
    /// <param name="layout">As for <see cref="Apply"/>.</param>
    /// <param name="tokens">As for <see cref="Apply"/>.</param>
    /// <returns>[B, N, heads·d].</returns>
    public static Tensor Products(AttentionLayout layout, params Tensor[] tokens)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = layout.Split(tokens);
        return Attend(query, key, value).transpose(1, 2).flatten(2).MoveToOuterDisposeScope(); // [B, heads, N, d] → [B, N, heads·d]
    }

    private static Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        if (query.device_type != DeviceType.CPU)
        {
            return nn.functional.scaled_dot_product_attention(query, key, value);
        }

        // On the CPU the two products are faster than libtorch's fused attention, and over contiguous heads much faster than over strided ones.
        using var scale = (1 / Math.Sqrt(query.size(-1))).ToScalar();
        var scores = bmm((query.contiguous() * scale).flatten(0, 1), key.contiguous().flatten(0, 1).transpose(-2, -1)); // [B, heads, …] → [B·heads, …]
        return bmm(nn.functional.softmax(scores, -1), value.contiguous().flatten(0, 1)).unflatten(0, query.size(0), query.size(1));
    }
}
