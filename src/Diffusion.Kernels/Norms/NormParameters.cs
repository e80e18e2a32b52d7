using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A group norm: what it multiplies and adds, and its numbers.</summary>
/// <param name="Weight">The factor of each channel, [C].</param>
/// <param name="Bias">The summand of each channel, [C].</param>
/// <param name="Groups">The number of groups, a divisor of C.</param>
/// <param name="Channels">C.</param>
/// <param name="Eps">What is added to the variance.</param>
internal readonly record struct NormParameters(Tensor Weight, Tensor Bias, int Groups, int Channels, double Eps);
