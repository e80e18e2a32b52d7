using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>softmax(q·kᵀ/√d)·v over heads.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, Eq. 1 and section 3.2.2.</remarks>
internal static class AttentionProduct
{
    /// <summary>Splits the last dimension into heads, attends, and joins the heads.</summary>
    /// <param name="query">[B, N, heads·d].</param>
    /// <param name="key">[B, L, heads·d].</param>
    /// <param name="value">[B, L, heads·d].</param>
    /// <param name="heads">The number of heads; divides the last dimension.</param>
    /// <returns>[B, N, heads·d].</returns>
    public static Tensor Apply(Tensor query, Tensor key, Tensor value, int heads)
    {
        using var scope = NewDisposeScope();
        var attended = Attend(Split(query, heads), Split(key, heads), Split(value, heads));
        return attended.transpose(1, 2).flatten(2).MoveToOuterDisposeScope(); // [B, heads, N, d] → [B, N, heads·d]
    }

    private static Tensor Split(Tensor tokens, int heads) => tokens.unflatten(2, [heads, tokens.shape[2] / heads]).transpose(1, 2); // [B, N, heads·d] → [B, heads, N, d]

    private static Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        if (query.device_type != DeviceType.CPU)
        {
            return nn.functional.scaled_dot_product_attention(query, key, value);
        }

        // On the CPU the two products are faster than libtorch's fused attention, and over contiguous heads much faster than over strided ones.
        var scores = matmul(query.contiguous() * (1 / Math.Sqrt(query.shape[^1])), key.contiguous().transpose(-2, -1));
        return matmul(nn.functional.softmax(scores, -1), value.contiguous());
    }
}
