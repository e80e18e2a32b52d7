using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>A matrix as <see cref="TileProduct"/> reads it fastest: panels of 32 columns, one row of a panel after the other, [⌈columns / 32⌉, depth, 32].</summary>
internal static unsafe class TilePanels
{
    /// <summary>The columns of a panel.</summary>
    public const int Lanes = 32;

    /// <summary>Copies a matrix whose columns lie in rows of memory: b[k, n] = matrix[n · depth + k].</summary>
    /// <param name="matrix">[columns, depth].</param>
    /// <param name="columns">A multiple of 32.</param>
    /// <param name="depth">At least 1.</param>
    /// <param name="panels">Written.</param>
    public static void PackTransposed(float* matrix, int columns, int depth, float* panels)
    {
        for (var first = 0; first < columns; first += Lanes, matrix += (long)Lanes * depth, panels += (long)Lanes * depth)
        {
            for (var k = 0; k < depth; k++)
            {
                for (var n = 0; n < Lanes; n++)
                {
                    panels[(k * Lanes) + n] = matrix[((long)n * depth) + k];
                }
            }
        }
    }

    /// <summary>Copies a matrix that lies row by row: b[k, n] = matrix[k · columns + n].</summary>
    /// <param name="matrix">[depth, columns].</param>
    /// <param name="columns">A multiple of 32.</param>
    /// <param name="depth">At least 1.</param>
    /// <param name="panels">Written.</param>
    public static void Pack(float* matrix, int columns, int depth, float* panels)
    {
        for (var first = 0; first < columns; first += Lanes)
        {
            for (var row = matrix + first; row < matrix + ((long)depth * columns); row += columns, panels += Lanes)
            {
                Vector512.Store(Vector512.Load(row), panels);
                Vector512.Store(Vector512.Load(row + Vector512<float>.Count), panels + Vector512<float>.Count);
            }
        }
    }
}
