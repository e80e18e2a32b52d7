namespace Diffusion;

/// <summary>How the learning rate goes on after the warm-up.</summary>
public enum LearningRateShape
{
    /// <summary>It stays.</summary>
    Constant = 0,

    /// <summary>It falls along half a cosine to the final share (SGDR, arXiv:1608.03983, Eq. 5, one cycle).</summary>
    Cosine = 1,

    /// <summary>It falls in a straight line to the final share.</summary>
    Linear = 2,

    /// <summary>It falls with 1/√step, as √(reference/step) from the reference step on (EDM2, arXiv:2312.02696, Eq. 67).</summary>
    InverseSquareRoot = 3,
}
