using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>Parameters as lists of tensors, and from such.</summary>
internal static class ParametersExtensions
{
    /// <summary>Weight and bias.</summary>
    public static Tensor[] Tensors(this ConvolutionParameters convolution) => convolution.Bias is { } bias ? [convolution.Weight, bias] : [convolution.Weight];

    /// <summary>Weight and bias.</summary>
    public static Tensor[] Tensors(this LinearParameters linear) => linear.Bias is { } bias ? [linear.Weight, bias] : [linear.Weight];

    /// <summary>Weight and bias.</summary>
    public static Tensor[] Tensors(this NormParameters norm) => [norm.Weight, norm.Bias];

    /// <summary>The same convolution of other tensors.</summary>
    public static ConvolutionParameters With(this ConvolutionParameters convolution, params ReadOnlySpan<Tensor> tensors) => convolution with { Weight = tensors[0], Bias = tensors.Length > 1 ? tensors[1] : null };

    /// <summary>The same norm of other tensors.</summary>
    public static NormParameters With(this NormParameters norm, params ReadOnlySpan<Tensor> tensors) => norm with { Weight = tensors[0], Bias = tensors[1] };
}
