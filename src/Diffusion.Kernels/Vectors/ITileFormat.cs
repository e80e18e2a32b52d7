namespace Diffusion.Kernels;

/// <summary>In what the products of a tile are computed: <see cref="Float32Tile"/> or <see cref="BFloat16Tile"/>. Sums are float32 either way.</summary>
internal interface ITileFormat
{
    /// <summary>The values in a word of four bytes.</summary>
    static abstract int PerWord { get; }
}

/// <summary>Words are floats.</summary>
internal readonly struct Float32Tile : ITileFormat
{
    public static int PerWord => 1;
}

/// <summary>Words are two bfloat16, the first in the lower half.</summary>
internal readonly struct BFloat16Tile : ITileFormat
{
    public static int PerWord => 2;
}
