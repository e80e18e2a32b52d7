using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>Linear maps from the pixels of images to tokens and from tokens to pixels, which nobody has to turn around.</summary>
/// <typeparam name="T">What images and tokens are, and products are computed in; sums are float32.</typeparam>
internal static unsafe class LinearImages<T>
    where T : ITileFormat
{
    /// <summary>The pixels that an image must have: the rows of a tile.</summary>
    public const int FewestPixels = Rows;

    private const int Rows = 8;
    private const int RowsOfPiece = 128;

    /// <summary>y[image, pixel, n] = bias[n] + Σ_c map(x)[image, c, pixel] · b[c, n].</summary>
    /// <param name="images">x, with a multiple of 16 channels.</param>
    /// <param name="map">What is done to it before.</param>
    /// <param name="panels">b, as <see cref="TilePanels"/>.</param>
    /// <param name="bias">[columns], or null.</param>
    /// <param name="tokens">y, [images, pixels, columns]; written.</param>
    /// <param name="columns">A multiple of 16.</param>
    public static void ToTokens(WinogradImages images, ChannelMap map, uint* panels, float* bias, void* tokens, int columns)
    {
        var (channels, depth, blocks) = (images.Channels, images.Channels / T.PerWord, (images.Pixels + RowsOfPiece - 1) / RowsOfPiece);
        var lanes = TilePanels.LanesFor(columns);
        var product = Product(lanes, depth, lanes, bias is null ? TileStart.Zero : TileStart.Bias);
        var parts = TileWork.Parts(images.Count * blocks, columns / lanes);
        TileWork.Run(images.Count * blocks * parts, RowsOfPiece * (channels + depth + lanes), new Reading(images, map, panels, bias, tokens, columns, product, blocks, parts));
    }

    /// <summary>y[image, n, pixel] = added[image, n, pixel] + bias[n] + Σ_k tokens[image, pixel, k] · b[k, n].</summary>
    /// <param name="tokens">[images, pixels, features].</param>
    /// <param name="features">A multiple of 16.</param>
    /// <param name="panels">b, as <see cref="TilePanels"/>.</param>
    /// <param name="bias">[channels of the images], or null.</param>
    /// <param name="added">Images of the shape and type of the output.</param>
    /// <param name="images">y, with a multiple of 16 channels and at least 8 pixels an image; written.</param>
    public static void ToImages(uint* tokens, int features, uint* panels, float* bias, WinogradImages added, WinogradImages images)
    {
        var (depth, blocks) = (features / T.PerWord, (images.Pixels + RowsOfPiece - 1) / RowsOfPiece);
        var lanes = TilePanels.LanesFor(images.Channels);
        var parts = TileWork.Parts(images.Count * blocks, images.Channels / lanes);
        var columns = images.Channels / parts;
        var product = Product(lanes, depth, columns, bias is null ? TileStart.Zero : TileStart.Bias);
        TileWork.Run(images.Count * blocks * parts, 2 * RowsOfPiece * columns, new Writing(tokens, features, panels, bias, added, images, product, blocks, parts));
    }

    private static TileProduct Product(int lanes, int depth, int sumStep, TileStart start) =>
        TileProduct.For(new TileShape(T.PerWord > 1, Rows, lanes, depth, 1, start) { SumStep = sumStep })!;

    private static uint* Words(float* pixels, int count, int channels, TileScratch scratch)
    {
        if (T.PerWord == 1)
        {
            return (uint*)pixels;
        }

        var words = scratch.TakeWords(RowsOfPiece * channels / T.PerWord);
        TileRows.Copy(pixels, channels, count, channels, 1, (ushort*)words, channels, channels);
        return words;
    }

    [MethodImpl(Loop.Alone)]
    private static void Add(float* values, int count, float* sums)
    {
        for (var i = 0; i < count; i += Vector512<float>.Count)
        {
            Vector512.Store(Vector512.Load(sums + i) + Vector512.Load(values + i), sums + i);
        }
    }

    /// <summary>Some pixels of an image, to some columns, in each piece.</summary>
    private readonly struct Reading(WinogradImages images, ChannelMap map, uint* panels, float* bias, void* tokens, int columns, TileProduct product, int blocks, int parts) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (channels, depth, lanes) = (images.Channels, images.Channels / T.PerWord, TilePanels.LanesFor(columns));
            var (image, first, part) = (piece / parts / blocks, piece / parts % blocks * RowsOfPiece, piece % parts);
            var count = Math.Min(RowsOfPiece, images.Pixels - first);
            float* pixels = scratch.Take(RowsOfPiece * channels), sums = scratch.Take(RowsOfPiece * lanes);
            images.Read(image, first, count, 0, channels, pixels);
            map.Apply<T>(image, pixels, count);
            var rows = Words(pixels, count, channels, scratch);
            var y = (((long)image * images.Pixels) + first) * columns;
            for (var n = columns / parts * part; n < columns / parts * (part + 1); n += lanes)
            {
                product.Run(rows, panels + ((long)n * depth), sums, count, depth, bias is null ? null : bias + n);
                if (T.PerWord == 1)
                {
                    TileRows.Copy(sums, lanes, count, lanes, 1, (float*)tokens + y + n, columns, lanes);
                }
                else
                {
                    TileRows.Copy(sums, lanes, count, lanes, 1, (ushort*)tokens + y + n, columns, lanes);
                }
            }
        }
    }

    /// <summary>Some pixels of an image, of some channels, in each piece.</summary>
    private readonly struct Writing(uint* tokens, int features, uint* panels, float* bias, WinogradImages added, WinogradImages images, TileProduct product, int blocks, int parts) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (depth, columns, lanes) = (features / T.PerWord, images.Channels / parts, TilePanels.LanesFor(images.Channels));
            var (image, first, channel) = (piece / parts / blocks, piece / parts % blocks * RowsOfPiece, piece % parts * columns);
            var count = Math.Min(RowsOfPiece, images.Pixels - first);
            first -= Math.Max(0, Rows - count); // the last pixels together with some before them
            count = Math.Max(count, Rows);
            float* sums = scratch.Take(RowsOfPiece * columns), pixels = scratch.Take(RowsOfPiece * columns);
            var rows = tokens + ((((long)image * images.Pixels) + first) * depth);
            var whole = count / Rows * Rows;
            for (var n = 0; n < columns; n += lanes)
            {
                var panel = panels + ((long)(channel + n) * depth);
                var start = bias is null ? null : bias + channel + n;
                product.Run(rows, panel, sums + n, whole, depth, start);
                if (whole < count)
                {
                    product.Run(rows + ((long)(count - Rows) * depth), panel, sums + ((long)(count - Rows) * columns) + n, Rows, depth, start);
                }
            }

            added.Read(image, first, count, channel, columns, pixels);
            Add(pixels, count * columns, sums);
            images.Slice(channel, columns).Write(image, first, count, sums);
        }
    }
}
