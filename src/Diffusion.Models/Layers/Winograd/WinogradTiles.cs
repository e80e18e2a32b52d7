using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>The tiles of a band, transformed.</summary>
internal static unsafe class WinogradTiles
{
    private const int Points = WinogradTransform.Points;
    private const int Vector = 16;

    /// <summary>The memory that the transforms need for so many channels, beside their results.</summary>
    public static long Floats(WinogradImages images, int channels) => TileScratch.Rounded((long)images.PixelsOfBand * channels) + TileScratch.Rounded(channels);

    /// <summary>What the tiles see: Bᵀ d B as words [16, tiles rounded up, channels / values in a word], in which two values are of channels that are 16 apart.</summary>
    /// <returns>The number of tiles; they are followed by zeros.</returns>
    public static int Transform<T>(WinogradImages images, int band, uint* transformed, TileScratch scratch)
        where T : ITileFormat
    {
        var (channels, words, count) = (images.Channels, images.Channels / T.PerWord, 0);
        float* pixels = scratch.Take((long)images.PixelsOfBand * channels), zeros = scratch.Take(channels);
        new Span<float>(zeros, channels).Clear();
        foreach (var part in images.Parts(band))
        {
            var rows = pixels + ((long)part.Pixel * channels);
            images.Read(part.Image, part.Seen, 0, channels, rows);
            Inputs<T>(images, part, rows, zeros, transformed + ((long)part.Tile * words));
            count = part.Tile + (part.Rows * images.TilesAcross);
        }

        Clear(transformed, count, images.TilesRounded, words);
        return count;
    }

    /// <summary>The gradients of the tiles of some channels: A δ Aᵀ as floats [16, tiles rounded up, channels], followed by zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TransformDirection(WinogradImages images, int band, int first, int channels, float* transformed, TileScratch scratch)
    {
        var (step, count) = ((long)images.TilesRounded * channels, 0);
        float* pixels = scratch.Take((long)images.PixelsOfBand * channels), zeros = scratch.Take(channels);
        new Span<float>(zeros, channels).Clear();
        var corners = stackalloc float*[4];
        foreach (var part in images.Parts(band))
        {
            images.Read(part.Image, part.Own, first, channels, pixels);
            for (var tile = 0; tile < part.Rows * images.TilesAcross; tile++)
            {
                Corners(images, part, tile, channels, pixels, zeros, corners);
                for (var channel = 0; channel < channels; channel += Vector)
                {
                    WinogradTransform.Direction(corners, channel, transformed + ((long)(part.Tile + tile) * channels) + channel, step);
                }
            }

            count = part.Tile + (part.Rows * images.TilesAcross);
        }

        Clear((uint*)transformed, count, images.TilesRounded, channels);
    }

    /// <summary>Where the four pixels of a tile are in memory that begins with the first pixel of the part.</summary>
    public static void Corners(WinogradImages images, WinogradPart part, int tile, int channels, float* pixels, float* outside, float** corners)
    {
        var (top, left) = (2 * (tile / images.TilesAcross), 2 * (tile % images.TilesAcross));
        for (var i = 0; i < 4; i++)
        {
            var (y, x) = (top + (i / 2), left + (i % 2));
            corners[i] = part.Own.First + y >= images.Height || x >= images.Width ? outside : pixels + ((((long)y * images.Width) + x) * channels);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Inputs<T>(WinogradImages images, WinogradPart part, float* rows, float* zeros, uint* transformed)
        where T : ITileFormat
    {
        var (channels, words, firstY) = (images.Channels, images.Channels / T.PerWord, part.Seen.First);
        var step = (long)images.TilesRounded * words;
        var seen = stackalloc float*[Points];
        var two = stackalloc float[2 * Points * Vector];
        for (var tile = 0; tile < part.Rows * images.TilesAcross; tile++, transformed += words)
        {
            var (top, left) = ((2 * (part.First + (tile / images.TilesAcross))) - 1, (2 * (tile % images.TilesAcross)) - 1);
            for (var i = 0; i < Points; i++)
            {
                var (y, x) = (top + (i / 4), left + (i % 4));
                seen[i] = y < 0 || y >= images.Height || x < 0 || x >= images.Width ? zeros : rows + ((((long)(y - firstY) * images.Width) + x) * channels);
            }

            for (var word = 0; word < words; word += Vector)
            {
                if (T.PerWord == 1)
                {
                    WinogradTransform.Input(seen, word, (float*)transformed + word, step);
                    continue;
                }

                WinogradTransform.Input(seen, 2 * word, two, Vector);
                WinogradTransform.Input(seen, (2 * word) + TilePanels.Apart, two + (Points * Vector), Vector);
                for (var point = 0; point < Points; point++)
                {
                    var (low, high) = (Vector512.Load(two + (point * Vector)), Vector512.Load(two + ((Points + point) * Vector)));
                    Vector512.Store(AttentionTile.Pair(low, high), transformed + word + (point * step));
                }
            }
        }
    }

    private static void Clear(uint* transformed, int first, int tiles, int words)
    {
        for (var point = 0; point < Points; point++)
        {
            new Span<uint>(transformed + ((((long)point * tiles) + first) * words), (tiles - first) * words).Clear();
        }
    }
}
