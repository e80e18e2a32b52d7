namespace Diffusion.Models;

/// <summary>How a down block halves its image.</summary>
public enum Downsampling
{
    /// <summary>A 3×3 convolution of stride 2: an odd size rounds up (7 → 4). The default.</summary>
    Convolution3 = 0,

    /// <summary>A 4×4 convolution of stride 2: an odd size rounds down (7 → 3).</summary>
    Convolution4 = 1,

    /// <summary>A 3×3 convolution of stride 2 with its row and column of zeros at the bottom and right edges alone: an odd size rounds down.</summary>
    Convolution3BottomRight = 2,

    /// <summary>The mean of 2×2 pixels: an odd size rounds down.</summary>
    Average = 3,

    /// <summary>A residual block that takes the mean of 2×2 pixels inside: an odd size rounds down. arXiv:2105.05233, section 3.</summary>
    Residual = 4,
}
