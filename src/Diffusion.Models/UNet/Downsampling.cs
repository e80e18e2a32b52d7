namespace Diffusion.Models;

/// <summary>How a down block halves its image.</summary>
public enum Downsampling
{
    /// <summary>A 3×3 convolution of stride 2: an odd size rounds up (7 → 4). The default.</summary>
    Convolution3 = 0,

    /// <summary>A 4×4 convolution of stride 2: an odd size rounds down (7 → 3).</summary>
    Convolution4 = 1,
}
