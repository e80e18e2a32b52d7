using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>The tiles of a band: where their pixels are, and what the transforms make of them.</summary>
/// <typeparam name="TForm">Which transforms.</typeparam>
internal static unsafe class WinogradTiles<TForm>
    where TForm : IWinogradForm
{
    private const int Line = 16; // floats

    private static int OwnPixels => TForm.Outputs * TForm.Outputs;

    /// <summary>The words or floats from a point's to the next: a cache line more than they are, because places that are a multiple of 4096 bytes apart push each other out of the cache.</summary>
    public static long PointStep(long size) => size + Line;

    /// <summary>The memory that one <see cref="Seen"/> or <see cref="Own"/> needs for so many channels.</summary>
    public static long Floats(WinogradImages images, int channels) =>
        TileScratch.Rounded((long)images.PixelsOfBand * channels) + TileScratch.Rounded(channels) + TileScratch.Rounded(2L * TForm.Points * images.TilesRounded);

    /// <summary>Reads what the tiles see and maps it: for each tile the places of the pixels that it sees, zeros outside of the image and for the tiles that are there to fill up a block.</summary>
    [MethodImpl(Loop.Alone)]
    public static float** Seen<T, TVector>(WinogradImages images, int band, ChannelMap map, TileScratch scratch)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        Debug.Assert(images.TileSide == TForm.Outputs, "Images are cut into the tiles of the form.");
        var (channels, count) = (images.Channels, 0);
        float* pixels = scratch.Take((long)images.PixelsOfBand * channels), zeros = Zeros(channels, scratch);
        var places = (float**)scratch.Take(2L * TForm.Points * images.TilesRounded);
        foreach (var part in images.Parts(band))
        {
            var first = pixels + ((long)part.Pixel * channels);
            images.Read<TVector>(part.Image, part.Seen, 0, channels, first);
            map.Apply<T, TVector>(part.Image, part.Seen.First * images.Width, first, (part.Seen.End - part.Seen.First) * images.Width);
            for (var row = 0; row < part.Rows; row++)
            {
                for (var column = 0; column < images.TilesAcross; column++, count++)
                {
                    Square(images, TForm.Side, (TForm.Outputs * (part.First + row)) - 1, (TForm.Outputs * column) - 1, first - ((long)part.Seen.First * images.Width * channels), channels, zeros, places + (TForm.Points * count));
                }
            }
        }

        new Span<nint>(places + (TForm.Points * count), TForm.Points * (images.TilesRounded - count)).Fill((nint)zeros);
        return places;
    }

    /// <summary>Reads the pixels of the tiles, of some channels: for each tile their places, zeros where <see cref="Seen"/> has them.</summary>
    [MethodImpl(Loop.Alone)]
    public static float** Own<TVector>(WinogradImages images, int band, int firstChannel, int channels, TileScratch scratch)
        where TVector : unmanaged, IVector<TVector>
    {
        float* pixels = scratch.Take((long)images.PixelsOfBand * channels), zeros = Zeros(channels, scratch);
        var places = (float**)scratch.Take(2L * TForm.Points * images.TilesRounded);
        var count = 0;
        foreach (var part in images.Parts(band))
        {
            var first = pixels + ((long)part.Pixel * channels);
            images.Read<TVector>(part.Image, part.Own, firstChannel, channels, first);
            count = Corners(images, part, channels, first, zeros, places);
        }

        new Span<nint>(places + (OwnPixels * count), OwnPixels * (images.TilesRounded - count)).Fill((nint)zeros);
        return places;
    }

    /// <summary>Where the pixels of each tile of a part are in memory that begins with the first pixel of the part.</summary>
    /// <returns>The number of tiles up to the end of the part.</returns>
    [MethodImpl(Loop.Alone)]
    public static int Corners(WinogradImages images, WinogradPart part, int channels, float* pixels, float* outside, float** places)
    {
        var count = part.Tile;
        for (var row = 0; row < part.Rows; row++)
        {
            for (var column = 0; column < images.TilesAcross; column++, count++)
            {
                Square(images, TForm.Outputs, TForm.Outputs * (part.First + row), TForm.Outputs * column, pixels - ((long)part.Own.First * images.Width * channels), channels, outside, places + (OwnPixels * count));
            }
        }

        return count;
    }

    /// <summary>Bᵀ d B as words [points, tiles, channels / values in a word], <see cref="PointStep"/> from a point to the next, in which two values are of channels that are 16 apart.</summary>
    [MethodImpl(Loop.Alone)]
    public static void ByChannel<T, TVector>(float** seen, int tiles, int channels, uint* to)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var words = channels / T.PerWord;
        var step = PointStep((long)tiles * words);
        for (var tile = 0; tile < tiles; tile++, seen += TForm.Points)
        {
            for (var word = 0; word < words; word += TVector.Count, to += TVector.Count)
            {
                TForm.Input<T, TVector>(seen, T.PerWord * word, seen, (T.PerWord * word) + TilePanels.Apart, to, step);
            }
        }
    }

    /// <summary>Bᵀ d B as panels of words [points, channels / lanes, tiles / values in a word, lanes], <see cref="PointStep"/> from a point to the next, in which two values are of neighbouring tiles.</summary>
    [MethodImpl(Loop.Alone)]
    public static void ByTile<T, TVector>(float** seen, int tiles, int channels, uint* to)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var (lanes, step) = (TilePanels.LanesFor(channels), PointStep((long)tiles / T.PerWord * channels));
        for (var first = 0; first < channels; first += lanes)
        {
            var places = seen;
            for (var tile = 0; tile < tiles; tile += T.PerWord, places += T.PerWord * TForm.Points)
            {
                for (var channel = first; channel < first + lanes; channel += TVector.Count, to += TVector.Count)
                {
                    TForm.Input<T, TVector>(places, channel, places + TForm.Points, channel, to, step);
                }
            }
        }
    }

    /// <summary>The places of a square of 2×2, 4×4 or 6×6 pixels, row by row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(WinogradImages images, int side, int top, int left, float* image, int channels, float* outside, float** places)
    {
        var (y, x) = (Vector128.Create(top), Vector128.Create(left));
        var two = y + Vector128.Create(0, 0, 1, 1); // of two rows
        if (side == 2)
        {
            Four(images, two, x + Vector128.Create(0, 1, 0, 1), image, channels, outside, places);
            return;
        }

        for (var row = 0; row < side; row += (side / 2) - 1) // two rows of six are three times four
        {
            Four(images, y + Vector128.Create(row), x + Vector128.Create(0, 1, 2, 3), image, channels, outside, places + (side * row));
            if (side == 6)
            {
                Four(images, two + Vector128.Create(row), x + Vector128.Create(4, 5, 0, 1), image, channels, outside, places + (side * row) + 4);
                Four(images, y + Vector128.Create(row + 1), x + Vector128.Create(2, 3, 4, 5), image, channels, outside, places + (side * row) + 8);
            }
        }
    }

    /// <summary>The places of four pixels. Without branches, which the processor would foresee badly: which tiles have a border changes from band to band.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(WinogradImages images, Vector128<int> y, Vector128<int> x, float* image, int channels, float* outside, float** places)
    {
        var inside = (Vector128.LessThan(y.AsUInt32(), Vector128.Create((uint)images.Height)) & Vector128.LessThan(x.AsUInt32(), Vector128.Create((uint)images.Width))).AsInt32();
        var bytes = ((y * images.Width) + x) * (channels * sizeof(float));
        var place = Avx2.ConvertToVector256Int64(bytes) + Vector256.Create((long)image);
        Vector256.Store(Vector256.ConditionalSelect(Avx2.ConvertToVector256Int64(inside), place, Vector256.Create((long)outside)), (long*)places);
    }

    private static float* Zeros(int channels, TileScratch scratch)
    {
        var zeros = scratch.Take(channels);
        new Span<float>(zeros, channels).Clear();
        return zeros;
    }
}
