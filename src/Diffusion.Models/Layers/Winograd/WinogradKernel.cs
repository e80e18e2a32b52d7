using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>3×3 convolutions with a border of one pixel of zeros, in float32, band by band of tiles that stay in the nearer caches (<see cref="WinogradTransform"/>).</summary>
internal static unsafe class WinogradKernel
{
    private const int Points = WinogradTransform.Points;
    private const int Vector = 16;

    /// <summary>The convolution.</summary>
    /// <param name="input">Images of some multiple of 16 channels.</param>
    /// <param name="points">Of <see cref="WinogradWeights"/>.</param>
    /// <param name="bias">[channels of the output], or null.</param>
    /// <param name="output">Images of the same size with some multiple of 16 channels; written.</param>
    /// <param name="product">Of <see cref="Product"/>.</param>
    public static void Convolve(WinogradImages input, float* points, float* bias, WinogradImages output, TileProduct product)
    {
        var (depth, columns, tiles) = (input.Channels, output.Channels, input.TilesRounded);
        var (lanes, written) = (WinogradWeights.Lanes(columns), 2L * input.RowsOfBand * input.Width * columns);
        var floats = ((long)input.PixelsOfBand * depth) + ((long)Points * tiles * (depth + columns)) + written + depth + columns;
        TileWork.Run(input.Bands, floats + (6 * Vector), (band, scratch) =>
        {
            float* transformed = scratch.Take((long)Points * tiles * depth), sums = scratch.Take((long)Points * tiles * columns);
            var count = Transform(input, band, transformed, scratch);
            for (var point = 0; point < Points; point++)
            {
                for (var n = 0; n < columns; n += lanes)
                {
                    var panel = points + ((long)point * depth * columns) + ((long)n * depth);
                    product.Run(transformed + ((long)point * tiles * depth), panel, sums + ((long)point * tiles * columns) + n, count, depth);
                }
            }

            Write(sums, bias, output, band, scratch.Take(written), scratch.Take(columns));
        });
    }

    /// <summary>The products of <see cref="Convolve"/>.</summary>
    /// <returns><see langword="null"/> where this system does not let programs write code.</returns>
    public static TileProduct? Product(int inChannels, int outChannels) =>
        TileProduct.For(new TileShape(IsNarrow: false, 8, WinogradWeights.Lanes(outChannels), inChannels, 1, TileStart.Zero) { SumStep = outChannels });

    /// <summary>The transformed tiles of a band, [16, tiles rounded up, channels].</summary>
    /// <returns>The number of tiles; up to a whole block of a product they are followed by zeros.</returns>
    public static int Transform(WinogradImages images, int band, float* transformed, TileScratch scratch)
    {
        var (channels, step, count) = (images.Channels, (long)images.TilesRounded * images.Channels, 0);
        var pixels = scratch.Take((long)images.PixelsOfBand * channels);
        var zeros = scratch.Take(channels);
        new Span<float>(zeros, channels).Clear();
        foreach (var part in images.Parts(band))
        {
            var rows = pixels + ((long)part.Pixel * channels);
            Transposition.Copy(images.Image(part.Image) + (part.FirstY * images.Width), images.Pixels, channels, (part.EndY - part.FirstY) * images.Width, rows, channels);
            Transform(images, part, rows, zeros, transformed + ((long)part.Tile * channels), step);
            count = part.Tile + (part.Rows * images.TilesAcross);
        }

        for (var point = 0; point < Points; point++)
        {
            new Span<float>(transformed + (point * step) + ((long)count * channels), (images.TilesRounded - count) * channels).Clear();
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(WinogradImages images, WinogradPart part, float* rows, float* zeros, float* transformed, long step)
    {
        var seen = stackalloc float*[Points];
        for (var tile = 0; tile < part.Rows * images.TilesAcross; tile++, transformed += images.Channels)
        {
            var (top, left) = ((2 * (part.First + (tile / images.TilesAcross))) - 1, (2 * (tile % images.TilesAcross)) - 1);
            for (var i = 0; i < Points; i++)
            {
                var (y, x) = (top + (i / 4), left + (i % 4));
                seen[i] = y < 0 || y >= images.Height || x < 0 || x >= images.Width ? zeros : rows + ((((long)(y - part.FirstY) * images.Width) + x) * images.Channels);
            }

            for (var channel = 0; channel < images.Channels; channel += Vector)
            {
                WinogradTransform.Input(seen, channel, transformed + channel, step);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Write(float* sums, float* bias, WinogradImages images, int band, float* pixels, float* outside)
    {
        var (channels, step) = (images.Channels, (long)images.TilesRounded * images.Channels);
        var corners = stackalloc float*[4];
        foreach (var part in images.Parts(band))
        {
            var (firstY, end) = (2 * part.First, Math.Min(images.Height, 2 * (part.First + part.Rows)));
            for (var tile = 0; tile < part.Rows * images.TilesAcross; tile++)
            {
                var (top, left) = (2 * (tile / images.TilesAcross), 2 * (tile % images.TilesAcross));
                for (var i = 0; i < 4; i++)
                {
                    var (y, x) = (top + (i / 2), left + (i % 2));
                    corners[i] = firstY + y >= images.Height || x >= images.Width ? outside : pixels + ((((long)y * images.Width) + x) * channels);
                }

                for (var channel = 0; channel < channels; channel += Vector)
                {
                    var start = bias is null ? Vector512<float>.Zero : Vector512.Load(bias + channel);
                    WinogradTransform.Output(sums + ((long)(part.Tile + tile) * channels) + channel, step, start, corners, channel);
                }
            }

            Transposition.Copy(pixels, channels, (end - firstY) * images.Width, channels, images.Image(part.Image) + (firstY * images.Width), images.Pixels);
        }
    }
}
