namespace Diffusion.Models;

/// <summary>What a residual block does to the size of its image.</summary>
internal enum ResidualResampling
{
    None = 0,
    Down = 1,
    Up = 2,
}
