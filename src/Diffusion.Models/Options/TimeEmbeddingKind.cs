namespace Diffusion.Models;

/// <summary>What a timestep becomes before the two linear maps of the time embedding.</summary>
public enum TimeEmbeddingKind
{
    /// <summary>Waves of geometrically growing period. The default.</summary>
    Sinusoidal = 0,

    /// <summary>Waves in log t of fixed random frequencies that are saved with the weights: arXiv:2006.10739, arXiv:2011.13456 appendix C.</summary>
    Fourier = 1,

    /// <summary>A learned row of a table; timesteps are whole numbers.</summary>
    Table = 2,
}
