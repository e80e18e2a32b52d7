namespace Diffusion.Kernels;

/// <summary>In what the products of a tile are computed: <see cref="Float32Tile"/> or <see cref="BFloat16Tile"/>. Sums are float32 either way.</summary>
internal interface ITileFormat
{
    /// <summary>The values in a word of four bytes.</summary>
    static abstract int PerWord { get; }
}
