namespace Diffusion.Models;

/// <summary>How an up block doubles its image. The result always has the size of the skip connection that joins it.</summary>
public enum Upsampling
{
    /// <summary>Nearest-neighbour resize, then a 3×3 convolution. The default.</summary>
    Nearest = 0,

    /// <summary>A transposed 4×4 convolution of stride 2; where the skip connection has an odd size, resized to it.</summary>
    Transposed = 1,

    /// <summary>Nearest-neighbour resize alone.</summary>
    NearestOnly = 2,

    /// <summary>A residual block that resizes inside, nearest-neighbour: arXiv:2105.05233, section 3.</summary>
    Residual = 3,
}
