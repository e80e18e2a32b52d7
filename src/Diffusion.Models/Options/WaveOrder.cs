namespace Diffusion.Models;

/// <summary>The order of the waves of a time embedding.</summary>
public enum WaveOrder
{
    /// <summary>All sines, then all cosines. The default.</summary>
    SineFirst = 0,

    /// <summary>All cosines, then all sines.</summary>
    CosineFirst = 1,
}
