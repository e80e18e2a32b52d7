namespace Diffusion.Kernels;

/// <summary>The parts of a band, for a loop that allocates nothing.</summary>
internal struct WinogradParts(WinogradImages images, int row, int end)
{
    private int _row = row;
    private int _tile;
    private int _pixel;

    /// <summary>The part that the loop is at.</summary>
    public WinogradPart Current { get; private set; }

    /// <summary>The loop.</summary>
    public readonly WinogradParts GetEnumerator() => this;

    /// <summary>Goes to the next part.</summary>
    public bool MoveNext()
    {
        if (_row >= end)
        {
            return false;
        }

        var (image, first) = (_row / images.TilesDown, _row % images.TilesDown);
        var rows = Math.Min(end - _row, images.TilesDown - first);
        Current = new WinogradPart(image, first, rows, _tile, _pixel, images.Height, images.TileSide);
        (_row, _tile, _pixel) = (_row + rows, _tile + (rows * images.TilesAcross), _pixel + ((Current.Seen.End - Current.Seen.First) * images.Width));
        return true;
    }
}
