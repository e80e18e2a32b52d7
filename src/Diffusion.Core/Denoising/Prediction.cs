using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a denoiser says of a noisy image.</summary>
/// <param name="Image">x̂₀, [B, C, H, W].</param>
/// <param name="Variance">The second half of the output of a network with twice the channels, [B, C, H, W]: what <see cref="ReverseVariance"/> makes of
/// it decides the variance of an ancestral step. <see langword="null"/> where the network has no such output.</param>
public readonly record struct Prediction(Tensor Image, Tensor? Variance = null);
