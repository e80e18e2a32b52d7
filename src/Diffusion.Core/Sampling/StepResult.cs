using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The result of a step: tensors made in this step.</summary>
/// <param name="Next">x at the level <see cref="StepContext.To"/>, [B, C, H, W].</param>
/// <param name="Image">x̂₀ at the level the step came from, [B, C, H, W]: passed to the callback and, in multistep samplers, kept in the history.</param>
public readonly record struct StepResult(Tensor Next, Tensor Image)
{
    /// <summary>x at the level the step came from where the step corrected it; <see langword="null"/> (default) if it did not.</summary>
    public Tensor? Corrected { get; init; }
}
