namespace Diffusion;

/// <summary>B(h), the scale of the correction of <see cref="UniPcSampler"/>. <c>solver_type</c> in diffusers.</summary>
public enum UniPcSolverType
{
    /// <summary>B₁(h) = h, the paper's choice for unconditional images and few steps. "bh1" in diffusers.</summary>
    Bh1,

    /// <summary>B₂(h) = e^h − 1. "bh2" in diffusers.</summary>
    Bh2,
}
