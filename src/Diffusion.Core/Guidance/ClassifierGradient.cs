using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The gradient of ln p(y | x_t) with respect to x_t: in which direction a noisy image becomes more likely to be of its class.</summary>
/// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
/// <param name="level">The level of every image of the batch.</param>
/// <returns>The gradient, the shape of <paramref name="noisy"/>; the caller disposes it.</returns>
public delegate Tensor ClassifierGradient(Tensor noisy, NoiseLevel level);
