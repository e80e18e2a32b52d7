using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A self-attention block, layer by layer.</summary>
internal static class LayeredAttention
{
    /// <summary>Runs it.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="layers">The layers.</param>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor Apply(Tensor images, in SelfAttentionParameters layers)
    {
        using var scope = NewDisposeScope();
        var attended = Attended(images, layers); // [B, C, H, W] → [B, H·W, C inner]
        var result = images.Plus(Functional.Linear(attended, layers.Last).transpose(1, 2).reshape(images.shape)); // → [B, C, H, W]
        using var scale = layers.OutputScale.ToScalar();
        return (layers.OutputScale is 1 ? result : result / scale).MoveToOuterDisposeScope();
    }

    private static Tensor Attended(Tensor images, SelfAttentionParameters layers)
    {
        var tokens = images.size(2) * images.size(3);
        if (!is_grad_enabled() || !FusedAttention.CanRun(layers.Layout, images.dtype, images.device_type, images.size(0), tokens, tokens))
        {
            return Functional.Attention(layers.Layout, Projected(images, layers));
        }

        // Norm and projections are computed again in the backward pass: the kernel keeps neither queries nor keys nor values.
        return RecomputedInput.Run(new FinalAttention(layers.Layout), (inputs, parameters) => Projected(inputs[0], layers.With([.. parameters, layers.Last.Weight, layers.Last.Bias!])), layers.Tensors()[..^2], images);
    }

    /// <summary>Queries, keys and values, in one tensor or three: [B, C, H, W] → [B, H·W, …].</summary>
    private static Tensor[] Projected(Tensor images, SelfAttentionParameters layers)
    {
        var tokens = (layers.Norm is { } norm ? Functional.GroupNorm(images, norm) : images).flatten(2).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
        return [.. Enumerable.Range(0, layers.Projections).Select(i => Functional.Linear(tokens, layers.Projection(i)))];
    }
}
