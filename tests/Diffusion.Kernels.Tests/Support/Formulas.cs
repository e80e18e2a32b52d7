using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>The operations in libtorch's own, for float64, whose kernels are right (docs/decisions/0003).</summary>
internal static class Formulas
{
    public static Tensor Conv2d(Tensor input, ConvolutionParameters convolution) => LibtorchConvolution.Run(input, convolution.Weight, convolution.Bias, convolution.Shape);

    public static Tensor ConvTranspose2d(Tensor input, ConvolutionParameters convolution) => LibtorchConvolution.Run(input, convolution.Weight, convolution.Bias, convolution.Shape, transposed: true);

    public static Tensor Linear(Tensor input, LinearParameters linear) => nn.functional.linear(input, linear.Weight, linear.Bias!);

    public static Tensor GatedGelu(Tensor halves)
    {
        var parts = halves.chunk(2, dim: -1);
        return parts[0] * parts[1] * 0.5 * (1 + (parts[1] / Math.Sqrt(2)).erf());
    }

    public static Tensor FeedForward(Tensor input, LinearParameters gate, LinearParameters last) => Linear(GatedGelu(Linear(input, gate)), last);

    public static Tensor GroupNorm(Tensor input, NormParameters norm) => nn.functional.group_norm(input, norm.Groups, norm.Weight, norm.Bias, norm.Eps);

    public static Tensor Attention(AttentionLayout layout, params Tensor[] tokens)
    {
        var (query, key, value) = layout.Split(tokens);
        return nn.functional.softmax(query.matmul(key.transpose(-2, -1)) / Math.Sqrt(layout.Width), -1).matmul(value).transpose(1, 2).flatten(2); // [B, heads, N, d] → [B, N, heads·d]
    }

    public static Tensor NormSiluConv2d(Tensor images, NormParameters norm, ConvolutionParameters convolution, Tensor? added = null)
    {
        var output = Conv2d(nn.functional.silu(GroupNorm(images, norm)), convolution);
        return added is null ? output : output + Pixels(added);
    }

    public static Tensor ResidualBlock(Tensor images, Tensor time, ResidualParameters layers, DropoutMask? dropout = null)
    {
        var shift = Pixels(Linear(time, layers.Time));
        var hidden = Conv2d(nn.functional.silu(GroupNorm(images, layers.Norm1)), layers.Conv1);
        var normed = GroupNorm(layers.Modulates ? hidden : hidden + shift, layers.Norm2);
        if (layers.Modulates)
        {
            var parts = shift.chunk(2, dim: 1);
            normed = (normed * (1 + parts[0])) + parts[1];
        }

        var activated = nn.functional.silu(normed);
        if (dropout is { } mask)
        {
            activated = activated * mask.Kept.to(activated.dtype) * mask.Scale;
        }

        return Conv2d(activated, layers.Conv2) + (layers.Shortcut is { } shortcut ? Conv2d(images, shortcut) : images);
    }

    public static Tensor SelfAttention(Tensor images, SelfAttentionParameters layers)
    {
        var tokens = (layers.Norm is { } norm ? GroupNorm(images, norm) : images).flatten(2).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
        var attended = Attention(layers.Layout, [.. Enumerable.Range(0, layers.Projections).Select(i => Linear(tokens, layers.Projection(i)))]);
        return (images + Linear(attended, layers.Last).transpose(1, 2).reshape(images.shape)) / layers.OutputScale;
    }

    /// <summary>[B, C] → [B, C, 1, 1].</summary>
    public static Tensor Pixels(Tensor values) => values.unsqueeze(-1).unsqueeze(-1);
}
