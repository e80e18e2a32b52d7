namespace Diffusion.Kernels;

/// <summary>Work on tiles as a value: unlike a lambda it makes no objects, which counts where an image is sampled a thousand times.</summary>
internal interface ITileWork
{
    /// <summary>Does a piece.</summary>
    /// <param name="piece">Its number.</param>
    /// <param name="scratch">Memory that it may take from.</param>
    void Do(int piece, TileScratch scratch);
}
