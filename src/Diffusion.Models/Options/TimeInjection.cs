namespace Diffusion.Models;

/// <summary>How a residual block is told the time.</summary>
public enum TimeInjection
{
    /// <summary>Added to the channels after the first convolution. The default.</summary>
    Add = 0,

    /// <summary>The second normalisation's output times (1 + scale), plus shift: arXiv:2102.09672, section 3.1.</summary>
    ScaleShift = 1,
}
