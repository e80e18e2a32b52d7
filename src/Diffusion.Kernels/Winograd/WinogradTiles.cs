using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>The tiles of a band: where their pixels are, and what the transforms make of them.</summary>
internal static unsafe class WinogradTiles
{
    /// <summary>The products of a tile: 4×4.</summary>
    public const int Points = 16;

    private const int Line = 16; // floats

    /// <summary>The words or floats from a point's to the next: a cache line more than they are, because places that are a multiple of 4096 bytes apart push each other out of the cache.</summary>
    public static long PointStep(long size) => size + Line;

    /// <summary>The memory that one <see cref="Seen"/> or <see cref="Own"/> needs for so many channels.</summary>
    public static long Floats(WinogradImages images, int channels) =>
        TileScratch.Rounded((long)images.PixelsOfBand * channels) + TileScratch.Rounded(channels) + TileScratch.Rounded(2 * Points * images.TilesRounded);

    /// <summary>Reads what the tiles see and maps it: for each tile 4×4 places of pixels, zeros outside of the image and for the tiles that are there to fill up a block.</summary>
    [MethodImpl(Loop.Alone)]
    public static float** Seen<T, TVector>(WinogradImages images, int band, ChannelMap map, TileScratch scratch)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var (channels, count) = (images.Channels, 0);
        float* pixels = scratch.Take((long)images.PixelsOfBand * channels), zeros = Zeros(channels, scratch);
        var places = (float**)scratch.Take(2 * Points * images.TilesRounded);
        foreach (var part in images.Parts(band))
        {
            var first = pixels + ((long)part.Pixel * channels);
            images.Read<TVector>(part.Image, part.Seen, 0, channels, first);
            map.Apply<T, TVector>(part.Image, part.Seen.First * images.Width, first, (part.Seen.End - part.Seen.First) * images.Width);
            for (var row = 0; row < part.Rows; row++)
            {
                for (var column = 0; column < images.TilesAcross; column++, count++)
                {
                    Square(images, (2 * (part.First + row)) - 1, (2 * column) - 1, first - ((long)part.Seen.First * images.Width * channels), channels, zeros, places + (Points * count));
                }
            }
        }

        new Span<nint>(places + (Points * count), Points * (images.TilesRounded - count)).Fill((nint)zeros);
        return places;
    }

    /// <summary>Reads the pixels of the tiles, of some channels: for each tile 2×2 places, zeros where <see cref="Seen"/> has them.</summary>
    [MethodImpl(Loop.Alone)]
    public static float** Own<TVector>(WinogradImages images, int band, int firstChannel, int channels, TileScratch scratch)
        where TVector : unmanaged, IVector<TVector>
    {
        float* pixels = scratch.Take((long)images.PixelsOfBand * channels), zeros = Zeros(channels, scratch);
        var places = (float**)scratch.Take(2 * Points * images.TilesRounded);
        var count = 0;
        foreach (var part in images.Parts(band))
        {
            var first = pixels + ((long)part.Pixel * channels);
            images.Read<TVector>(part.Image, part.Own, firstChannel, channels, first);
            count = Corners(images, part, channels, first, zeros, places);
        }

        new Span<nint>(places + (4 * count), 4 * (images.TilesRounded - count)).Fill((nint)zeros);
        return places;
    }

    /// <summary>Where the four pixels of each tile of a part are in memory that begins with the first pixel of the part.</summary>
    /// <returns>The number of tiles up to the end of the part.</returns>
    [MethodImpl(Loop.Alone)]
    public static int Corners(WinogradImages images, WinogradPart part, int channels, float* pixels, float* outside, float** places)
    {
        var count = part.Tile;
        for (var row = 0; row < part.Rows; row++)
        {
            for (var column = 0; column < images.TilesAcross; column++, count++)
            {
                Corner(images, 2 * (part.First + row), 2 * column, pixels - ((long)part.Own.First * images.Width * channels), channels, outside, places + (4 * count));
            }
        }

        return count;
    }

    /// <summary>Bᵀ d B as words [16, tiles, channels / values in a word], <see cref="PointStep"/> from one of the 16 to the next, in which two values are of channels that are 16 apart.</summary>
    [MethodImpl(Loop.Alone)]
    public static void ByChannel<T, TVector>(float** seen, int tiles, int channels, uint* to)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var words = channels / T.PerWord;
        var step = PointStep((long)tiles * words);
        for (var tile = 0; tile < tiles; tile++, seen += Points)
        {
            for (var word = 0; word < words; word += TVector.Count, to += TVector.Count)
            {
                Input<T, TVector>(seen, seen, 0, T.PerWord * word, (T.PerWord * word) + TilePanels.Apart, to, step);
                Input<T, TVector>(seen, seen, 1, T.PerWord * word, (T.PerWord * word) + TilePanels.Apart, to, step);
                Input<T, TVector>(seen, seen, 2, T.PerWord * word, (T.PerWord * word) + TilePanels.Apart, to, step);
                Input<T, TVector>(seen, seen, 3, T.PerWord * word, (T.PerWord * word) + TilePanels.Apart, to, step);
            }
        }
    }

    /// <summary>Bᵀ d B as words [16, tiles / values in a word, channels], <see cref="PointStep"/> from one of the 16 to the next, in which two values are of neighbouring tiles.</summary>
    [MethodImpl(Loop.Alone)]
    public static void ByTile<T, TVector>(float** seen, int tiles, int channels, uint* to)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var step = PointStep((long)tiles / T.PerWord * channels);
        for (var tile = 0; tile < tiles; tile += T.PerWord, seen += T.PerWord * Points)
        {
            for (var channel = 0; channel < channels; channel += TVector.Count, to += TVector.Count)
            {
                Input<T, TVector>(seen, seen + Points, 0, channel, channel, to, step);
                Input<T, TVector>(seen, seen + Points, 1, channel, channel, to, step);
                Input<T, TVector>(seen, seen + Points, 2, channel, channel, to, step);
                Input<T, TVector>(seen, seen + Points, 3, channel, channel, to, step);
            }
        }
    }

    /// <summary>A δ Aᵀ as words like those of <see cref="ByTile"/>.</summary>
    [MethodImpl(Loop.Alone)]
    public static void Directions<T, TVector>(float** own, int tiles, int channels, uint* to)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var step = PointStep((long)tiles / T.PerWord * channels);
        for (var tile = 0; tile < tiles; tile += T.PerWord, own += T.PerWord * 4)
        {
            for (var channel = 0; channel < channels; channel += TVector.Count, to += TVector.Count)
            {
                Direction<T, TVector>(own, 0, channel, to, step);
                Direction<T, TVector>(own, 1, channel, to, step);
                Direction<T, TVector>(own, 2, channel, to, step);
                Direction<T, TVector>(own, 3, channel, to, step);
            }
        }
    }

    /// <summary>The places of 4×4 pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(WinogradImages images, int top, int left, float* image, int channels, float* outside, float** places)
    {
        var x = Vector128.Create(0, 1, 2, 3) + Vector128.Create(left);
        for (var row = 0; row < 4; row++)
        {
            Four(images, Vector128.Create(top + row), x, image, channels, outside, places + (4 * row));
        }
    }

    /// <summary>The places of 2×2 pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Corner(WinogradImages images, int top, int left, float* image, int channels, float* outside, float** places) =>
        Four(images, Vector128.Create(0, 0, 1, 1) + Vector128.Create(top), Vector128.Create(0, 1, 0, 1) + Vector128.Create(left), image, channels, outside, places);

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

    /// <summary>A row of points, which has to be a constant: it is compiled for each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Input<T, TVector>(float** one, float** other, int row, int channel, int otherChannel, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var low = WinogradTransform<TVector>.Input(one, row, channel);
        Store<T, TVector>(low, T.PerWord == 1 ? low : WinogradTransform<TVector>.Input(other, row, otherChannel), to + (4 * row * step), step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Direction<T, TVector>(float** own, int row, int channel, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var low = WinogradTransform<TVector>.Direction(own, row, channel);
        Store<T, TVector>(low, T.PerWord == 1 ? low : WinogradTransform<TVector>.Direction(own + 4, row, channel), to + (4 * row * step), step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T, TVector>(
        (TVector A, TVector B, TVector C, TVector D) one, (TVector A, TVector B, TVector C, TVector D) other, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        Word(one.A, other.A, to);
        Word(one.B, other.B, to + step);
        Word(one.C, other.C, to + (2 * step));
        Word(one.D, other.D, to + (3 * step));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Word(TVector one, TVector other, uint* to)
        {
            if (T.PerWord == 1)
            {
                TVector.Store(one, (float*)to);
            }
            else
            {
                TVector.StorePairs(one, other, to);
            }
        }
    }
}
