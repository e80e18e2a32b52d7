using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A network that takes labels, a context or both. Implement it in a module that also is a <c>Module&lt;Tensor, Tensor, Tensor&gt;</c>, from noisy samples and timesteps to its output:
/// <see cref="NetworkDenoiser"/> and <see cref="Trainer"/> then give it the condition of each sample.
/// </summary>
public interface IConditionalNetwork
{
    /// <summary>Whether it takes labels.</summary>
    bool TakesLabels { get; }

    /// <summary>Whether it takes a context.</summary>
    bool TakesContext { get; }

    /// <summary>Predicts with a condition.</summary>
    /// <param name="noisy">The noisy samples, [B, C, H, W].</param>
    /// <param name="timesteps">[B], Int64 for whole timesteps, else Float32.</param>
    /// <param name="labels">Int64, [B]; <see langword="null"/> exactly where it takes none.</param>
    /// <param name="context">[B, L, D], in the type of <paramref name="noisy"/>; <see langword="null"/> exactly where it takes none.</param>
    /// <returns>[B, C, H, W], or [B, 2·C, H, W] with a learned variance.</returns>
    Tensor Predict(Tensor noisy, Tensor timesteps, Tensor? labels, Tensor? context);
}
