using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>Linear maps from the pixels of images to tokens and from tokens to pixels, which nobody has to turn around.</summary>
/// <typeparam name="T">What tokens are, and products are computed in; sums are float32. Images are float32 or bfloat16.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal static unsafe class LinearImages<T, TVector>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int Rows = TilePanels.Rows;
    private const int RowsOfPiece = 128;

    /// <summary>y[image, pixel, n] = bias[n] + Σ_c map(x)[image, c, pixel] · b[c, n].</summary>
    /// <param name="images">x, with a multiple of 16 channels.</param>
    /// <param name="map">What is done to it before.</param>
    /// <param name="panels">b, as <see cref="TilePanels"/>.</param>
    /// <param name="bias">[columns], or null.</param>
    /// <param name="tokens">y, [images, pixels, columns]; written.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="step">The values from a pixel of y to the next.</param>
    /// <param name="rows">map(x) as [images, pixels, channels], written, with room for 7 pixels more; or null.</param>
    public static void ToTokens(WinogradImages images, ChannelMap map, uint* panels, float* bias, void* tokens, int columns, int step, uint* rows = null)
    {
        var (channels, depth, blocks) = (images.Channels, images.Channels / T.PerWord, (images.Pixels + RowsOfPiece - 1) / RowsOfPiece);
        var lanes = TilePanels.LanesFor(columns);
        var product = Product(lanes, depth, lanes, bias is null ? TileStart.Zero : TileStart.Bias);
        var parts = rows == null ? TileWork.Parts(images.Count * blocks, columns / lanes) : 1; // one that writes rows maps them in their place
        TileWork.Run(images.Count * blocks * parts, RowsOfPiece * (channels + depth + lanes), new Reading(images, map, panels, bias, tokens, columns, step, rows, product, blocks, parts));
    }

    /// <summary>y[image, n, pixel] = bias[n] + Σ_k tokens[image, pixel, k] · b[k, n], plus added[image, n, pixel].</summary>
    /// <param name="tokens">[images, pixels, features].</param>
    /// <param name="features">A multiple of 16.</param>
    /// <param name="panels">b, as <see cref="TilePanels"/>.</param>
    /// <param name="bias">[channels of the images], or null.</param>
    /// <param name="added">Images of the shape and type of the output, or of no memory.</param>
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
        TileProduct.For<T, TVector>(new TileShape(Rows, lanes, depth, 1, start) { SumStep = sumStep });

    [MethodImpl(Loop.Alone)]
    private static void Add(float* values, int count, float* sums)
    {
        for (var i = 0; i < count; i += TVector.Count)
        {
            TVector.Store(TVector.Load(sums + i) + TVector.Load(values + i), sums + i);
        }
    }

    /// <summary>Some pixels of an image, to some columns, in each piece.</summary>
    private readonly struct Reading(WinogradImages images, ChannelMap map, uint* panels, float* bias, void* tokens, int columns, int step, uint* kept, TileProduct product, int blocks, int parts) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (channels, depth, lanes) = (images.Channels, images.Channels / T.PerWord, TilePanels.LanesFor(columns));
            var (image, first, part) = (piece / parts / blocks, piece / parts % blocks * RowsOfPiece, piece % parts);
            var count = Math.Min(RowsOfPiece, images.Pixels - first);
            var pixel = ((long)image * images.Pixels) + first;
            var sums = scratch.Take(RowsOfPiece * lanes);
            var words = Rows(image, first, count, kept == null ? scratch.TakeWords(RowsOfPiece * depth) : kept + (pixel * depth), scratch);
            var y = pixel * step;
            for (var n = columns / parts * part; n < columns / parts * (part + 1); n += lanes)
            {
                product.Run(words, panels + ((long)n * depth), sums, count, depth, bias is null ? null : bias + n);
                if (T.PerWord == 1)
                {
                    TileRows<TVector>.Copy(sums, lanes, count, lanes, 1, (float*)tokens + y + n, step, lanes);
                }
                else
                {
                    TileRows<TVector>.Copy(sums, lanes, count, lanes, 1, (ushort*)tokens + y + n, step, lanes);
                }
            }
        }

        private uint* Rows(int image, int first, int count, uint* words, TileScratch scratch)
        {
            var pixels = T.PerWord == 1 ? (float*)words : scratch.Take(RowsOfPiece * images.Channels);
            images.Read<TVector>(image, first, count, 0, images.Channels, pixels);
            map.Apply<T, TVector>(image, first, pixels, count);
            if (T.PerWord > 1)
            {
                TileRows<TVector>.Copy(pixels, images.Channels, count, images.Channels, 1, (ushort*)words, images.Channels, images.Channels);
            }

            return words;
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

            if (added.Data != 0)
            {
                added.Read<TVector>(image, first, count, channel, columns, pixels);
                Add(pixels, count * columns, sums);
            }

            images.Slice(channel, columns).Write<TVector>(image, first, count, sums);
        }
    }
}
