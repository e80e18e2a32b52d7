namespace Diffusion.Models;

/// <summary>Images [B, C, H, W] cut into tiles of 2×2 pixels, and these into bands of rows of tiles, which may reach over several images.</summary>
/// <param name="Data">The first value.</param>
/// <param name="Count">B.</param>
/// <param name="Channels">C.</param>
/// <param name="Height">H.</param>
/// <param name="Width">W.</param>
internal readonly unsafe record struct WinogradImages(nint Data, int Count, int Channels, int Height, int Width)
{
    private const int TilesOfBand = 64;

    /// <summary>The tiles of a row.</summary>
    public int TilesAcross => (Width + 1) / 2;

    /// <summary>The rows of tiles of an image.</summary>
    public int TilesDown => (Height + 1) / 2;

    /// <summary>The pixels of an image.</summary>
    public int Pixels => Height * Width;

    /// <summary>The rows of tiles of a band.</summary>
    public int RowsOfBand => Math.Max(1, Math.Min(TilesOfBand / TilesAcross, Count * TilesDown));

    /// <summary>The most tiles of a band, rounded up to whole blocks of a product.</summary>
    public int TilesRounded => (((RowsOfBand * TilesAcross) + 7) / 8) * 8;

    /// <summary>How many bands there are.</summary>
    public int Bands => ((Count * TilesDown) + RowsOfBand - 1) / RowsOfBand;

    /// <summary>The most pixels that the tiles of a band see, with a border of one row on each side of each image.</summary>
    public int PixelsOfBand => Math.Min(Count * Height, (2 * RowsOfBand) + (2 * (((RowsOfBand - 1) / TilesDown) + 2))) * Width;

    /// <summary>The other images of the same size.</summary>
    public WinogradImages With(nint data, int channels) => this with { Data = data, Channels = channels };

    /// <summary>The channels of an image.</summary>
    public float* Image(int image) => (float*)Data + ((long)image * Channels * Pixels);

    /// <summary>The parts of a band, one an image.</summary>
    public IEnumerable<WinogradPart> Parts(int band)
    {
        var (row, end) = (band * RowsOfBand, Math.Min((band + 1) * RowsOfBand, Count * TilesDown));
        for (int tile = 0, pixel = 0; row < end;)
        {
            var (image, first) = (row / TilesDown, row % TilesDown);
            var rows = Math.Min(end - row, TilesDown - first);
            var part = new WinogradPart(image, first, rows, tile, pixel, Height);
            yield return part;
            (row, tile, pixel) = (row + rows, tile + (rows * TilesAcross), pixel + ((part.EndY - part.FirstY) * Width));
        }
    }
}
