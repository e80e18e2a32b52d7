using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A linear map.</summary>
/// <param name="Weight">[O, C].</param>
/// <param name="Bias">[O], or <see langword="null"/>.</param>
internal readonly record struct LinearParameters(Tensor Weight, Tensor? Bias);
