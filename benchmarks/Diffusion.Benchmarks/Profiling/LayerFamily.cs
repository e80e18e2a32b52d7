using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The kinds of operators that time is divided among.</summary>
internal static class LayerFamily
{
    public const string Products = "attention: softmax(q·kᵀ)·v";
    public const string Tokens = "attention: images to tokens and back";
    public const string Activation = "activation (SiLU)";
    public const string Joins = "sums and joins: residuals, time shift, skip connections";
    public const string Normed = "norm, SiLU and convolution 3×3 as one";
    public const string Other = "other layers";

    /// <summary>The kind of a layer.</summary>
    public static string Of(nn.Module layer) => layer switch
    {
        Conv2d convolution when convolution.Weight.shape[2] == 1 => "convolution 1×1",
        Conv2d convolution when convolution.Weight.shape[2] == 3 => "convolution 3×3",
        Conv2d => "convolution, strided",
        ConvTranspose2d => "convolution, transposed",
        GroupNorm => "norm",
        Linear => "linear",
        ResidualBlock => "residual block as one",
        SelfAttention => "self-attention block as one",
        _ => Other,
    };
}
