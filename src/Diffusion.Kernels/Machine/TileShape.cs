namespace Diffusion.Kernels;

/// <summary>The shape of a <see cref="TileProduct"/>.</summary>
/// <param name="Rows">How many m are done at once: 4, 8 or, up to 16 lanes, 16.</param>
/// <param name="Lanes">How many n there are: 4, 8, 16, 32, 48 or 64, at most 128 / <paramref name="Rows"/> above 16.</param>
/// <param name="RowStep">The words from a[m, k] to a[m + 1, k].</param>
/// <param name="DepthStep">The words from a[m, k] to a[m, k + 1].</param>
/// <param name="Start">What the sums start from.</param>
internal readonly record struct TileShape(int Rows, int Lanes, int RowStep, int DepthStep, TileStart Start)
{
    /// <summary>The words from b[k, n] to b[k + 1, n].</summary>
    public int ColumnStep { get; init; } = Lanes;

    /// <summary>The floats from c[m, n] to c[m + 1, n].</summary>
    public int SumStep { get; init; } = Lanes;
}
