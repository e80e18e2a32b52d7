using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>softmax(q·kᵀ/√d)·v over heads by libtorch, of tokens as linear maps leave them.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, Eq. 1 and section 3.2.2.</remarks>
internal static class PlainAttention
{
    /// <summary>Attends by libtorch's <c>scaled_dot_product_attention</c>, which never writes the matrix of all scores. Gradients of gradients go through <see cref="Products"/>: it has none.</summary>
    /// <param name="layout">Where in the features of a token the heads lie.</param>
    /// <param name="tokens">Queries, keys and values in one tensor [B, N, …], or queries [B, N, …], keys [B, L, …] and values [B, L, …].</param>
    /// <returns>[B, N, heads·d].</returns>
    public static Tensor Apply(AttentionLayout layout, Tensor[] tokens) =>
        is_grad_enabled() && Array.Exists(tokens, part => part.requires_grad) ? LibtorchAttention.Apply(layout, tokens) : ScaledDotProduct(layout, tokens);

    /// <summary>As <see cref="Apply"/>, without gradients of gradients.</summary>
    /// <param name="layout">As for <see cref="Apply"/>.</param>
    /// <param name="tokens">As for <see cref="Apply"/>.</param>
    /// <returns>[B, N, heads·d].</returns>
    public static Tensor ScaledDotProduct(AttentionLayout layout, Tensor[] tokens)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = layout.Split(tokens);
        return Joined(nn.functional.scaled_dot_product_attention(query, key, value)).MoveToOuterDisposeScope();
    }

    /// <summary>Attends by products of matrices, which have every derivative.</summary>
    /// <param name="layout">As for <see cref="Apply"/>.</param>
    /// <param name="tokens">As for <see cref="Apply"/>.</param>
    /// <returns>[B, N, heads·d].</returns>
    public static Tensor Products(AttentionLayout layout, params Tensor[] tokens)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = layout.Split(tokens);
        var (batch, heads, width) = (query.size(0), query.size(1), query.size(3));
        using var scale = (1 / Math.Sqrt(width)).ToScalar();
        var (q, k, v) = (Flat(query), Flat(key), Flat(value)); // contiguous heads are much faster than strided ones
        var weights = nn.functional.softmax(bmm(q * scale, k.transpose(1, 2)), -1);
        return Joined(bmm(weights, v).view(batch, heads, -1, width)).MoveToOuterDisposeScope();
    }

    private static Tensor Flat(Tensor heads) => heads.contiguous().view(-1, heads.size(2), heads.size(3)); // [B, heads, N, d] → [B·heads, N, d]

    private static Tensor Joined(Tensor heads) => heads.transpose(1, 2).flatten(2); // [B, heads, N, d] → [B, N, heads·d]
}
