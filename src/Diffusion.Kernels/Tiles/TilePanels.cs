using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>A matrix as <see cref="TileProduct"/> reads it fastest: panels of 32 columns, or of 16 where these do not fill them, one row of a panel after the other, [columns / lanes, depth, lanes].</summary>
internal static unsafe class TilePanels
{
    /// <summary>The columns of a panel.</summary>
    public const int Lanes = 32;

    /// <summary>The rows that a product with a panel does at once: what it reads must have as many.</summary>
    public const int Rows = 8;

    /// <summary>How far apart the two values in a word are, where they need not be neighbours: one vector is then made from two.</summary>
    public const int Apart = 16;

    /// <summary>The columns of a panel of a matrix whose columns are a multiple of 16.</summary>
    public static int LanesFor(int columns) => columns % Lanes == 0 ? Lanes : Lanes / 2;

    /// <summary>Copies a matrix whose columns lie in rows of memory: b[k, n] = matrix[n · depth + k].</summary>
    /// <param name="matrix">[columns, depth] of words.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="depth">At least 1.</param>
    /// <param name="panels">Written.</param>
    public static void PackTransposed<TVector>(uint* matrix, int columns, int depth, uint* panels)
        where TVector : unmanaged, IVector<TVector>
    {
        var lanes = LanesFor(columns);
        for (var first = 0; first < columns; first += lanes, matrix += (long)lanes * depth, panels += (long)lanes * depth)
        {
            Transposition<TVector>.Copy((float*)matrix, depth, lanes, depth, (float*)panels, lanes);
        }
    }

    /// <summary>Copies a matrix that lies row by row: b[k, n] = matrix[k · columns + n]; where a word has two values, of two neighbouring rows.</summary>
    /// <param name="matrix">[depth, columns].</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="depth">A multiple of the values in a word.</param>
    /// <param name="panels">Written.</param>
    [MethodImpl(Loop.Alone)]
    public static void Pack<T, TVector>(float* matrix, int columns, int depth, uint* panels)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var lanes = LanesFor(columns);
        for (var first = 0; first < columns; first += lanes)
        {
            for (var row = matrix + first; row < matrix + ((long)depth * columns); row += (long)T.PerWord * columns)
            {
                for (var n = 0; n < lanes; n += TVector.Count, panels += TVector.Count)
                {
                    var values = TVector.Load(row + n);
                    TileValues<TVector>.StoreWord<T>(values, T.PerWord == 1 ? values : TVector.Load(row + columns + n), panels);
                }
            }
        }
    }
}
