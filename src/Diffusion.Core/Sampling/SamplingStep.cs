using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The state after a step. The tensors live until the callback returns: clone those to keep.</summary>
/// <param name="Index">0 for the first step.</param>
/// <param name="Count">Steps in all.</param>
/// <param name="From">The level before the step.</param>
/// <param name="To">The level after the step; <see cref="NoiseLevel.Clean"/> after the last.</param>
/// <param name="Noisy">x after the step, [B, C, H, W], at level <paramref name="To"/>.</param>
/// <param name="Image">x̂₀ as predicted in this step, [B, C, H, W].</param>
public sealed record SamplingStep(int Index, int Count, NoiseLevel From, NoiseLevel To, Tensor Noisy, Tensor Image);
