namespace Diffusion.Kernels;

/// <summary>Rows of tiles of one image.</summary>
/// <param name="Image">The image.</param>
/// <param name="First">The first row of tiles.</param>
/// <param name="Rows">How many rows of tiles.</param>
/// <param name="Tile">Where in the band the first tile is.</param>
/// <param name="Pixel">Where in the band's memory the first pixel is.</param>
/// <param name="Height">The rows of pixels of the image.</param>
/// <param name="Side">The rows of pixels of a tile.</param>
internal readonly record struct WinogradPart(int Image, int First, int Rows, int Tile, int Pixel, int Height, int Side)
{
    /// <summary>The rows of pixels that the tiles see.</summary>
    public (int First, int End) Seen => (Math.Max(0, (Side * First) - 1), Math.Min(Height, (Side * (First + Rows)) + 1));

    /// <summary>The rows of pixels of the tiles.</summary>
    public (int First, int End) Own => (Side * First, Math.Min(Height, Side * (First + Rows)));
}
