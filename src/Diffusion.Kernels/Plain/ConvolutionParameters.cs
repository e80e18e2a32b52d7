using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A convolution.</summary>
/// <param name="Weight">[O, C, k, k].</param>
/// <param name="Bias">[O], or <see langword="null"/>.</param>
/// <param name="Shape">Its numbers.</param>
internal readonly record struct ConvolutionParameters(Tensor Weight, Tensor? Bias, ConvolutionShape Shape);
