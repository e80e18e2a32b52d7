namespace Diffusion.Kernels;

/// <summary>What the sums of a <see cref="TileProduct"/> start from.</summary>
internal enum TileStart
{
    /// <summary>Nothing: c is only written.</summary>
    Zero,

    /// <summary>What c holds.</summary>
    Sums,

    /// <summary>A bias of each n.</summary>
    Bias,
}
