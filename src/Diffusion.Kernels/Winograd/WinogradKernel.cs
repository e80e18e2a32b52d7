using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>3×3 convolutions with a border of one pixel of zeros, band by band of tiles that stay in the nearer caches (<see cref="WinogradTransform{TVector}"/>).</summary>
/// <typeparam name="T">What products are computed in; transforms and sums are float32.</typeparam>
/// <typeparam name="TVector">The vectors that are computed with.</typeparam>
internal static unsafe class WinogradKernel<T, TVector>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int Points = WinogradTiles.Points;

    /// <summary>The convolution.</summary>
    /// <param name="input">Images of some multiple of 16 channels, or of 32 where a word has two values.</param>
    /// <param name="points">Of <see cref="WinogradWeights{T}"/>.</param>
    /// <param name="ends">What is done before and after.</param>
    /// <param name="output">Images of the same size with some multiple of 16 channels; written.</param>
    public static void Convolve(WinogradImages input, uint* points, ConvolutionEnds ends, WinogradImages output)
    {
        var (words, lanes, tiles) = (input.Channels / T.PerWord, TilePanels.LanesFor(output.Channels), input.TilesRounded);
        var parts = TileWork.Parts(input.Bands, output.Channels / lanes);
        var columns = output.Channels / parts;
        var (product, written) = (Product(input.Channels, output.Channels, columns), 2L * input.RowsOfBand * input.Width * columns);
        var floats = WinogradTiles.Floats(input, input.Channels) + ((long)Points * tiles * (words + columns)) + written + columns + (8L * tiles);
        TileWork.Run(input.Bands * parts, floats + 80, new Bands(input, points, ends, output, product, parts));
    }

    /// <summary>The products of <see cref="Convolve"/>.</summary>
    private static TileProduct Product(int inChannels, int outChannels, int columns) =>
        TileProduct.For<T, TVector>(new TileShape(8, TilePanels.LanesFor(outChannels), inChannels / T.PerWord, 1, TileStart.Zero) { SumStep = columns });

    private static void Write(float* sums, ConvolutionEnds ends, WinogradImages images, int band, float* pixels, float* outside, float** places)
    {
        foreach (var part in images.Parts(band))
        {
            var end = WinogradTiles.Corners(images, part, images.Channels, pixels, outside, places);
            if (ends.Added != 0)
            {
                (images with { Data = ends.Added }).Read<TVector>(part.Image, part.Own, 0, images.Channels, pixels);
            }

            Outputs(sums, ends.BiasOf(part.Image), ends.Added != 0, images, (part.Tile, end), places);
            images.Write<TVector>(part.Image, part.Own, pixels);
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Outputs(float* sums, float* bias, bool adds, WinogradImages images, (int First, int End) tiles, float** places)
    {
        var step = (long)images.TilesRounded * images.Channels;
        for (var tile = tiles.First; tile < tiles.End; tile++)
        {
            var from = sums + ((long)tile * images.Channels);
            for (var channel = 0; channel < images.Channels; channel += TVector.Count)
            {
                var start = bias is null ? default(TVector) : TVector.Load(bias + channel);
                WinogradTransform<TVector>.Output(from + channel, step, start, adds, places + (4 * tile), channel);
            }
        }
    }

    /// <summary>Some channels of the output of a band in each piece.</summary>
    private readonly struct Bands(WinogradImages input, uint* points, ConvolutionEnds ends, WinogradImages output, TileProduct product, int parts) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (words, lanes, tiles, columns) = (input.Channels / T.PerWord, TilePanels.LanesFor(output.Channels), input.TilesRounded, output.Channels / parts);
            var written = 2L * input.RowsOfBand * input.Width * columns;
            var (band, first) = (piece / parts, piece % parts * columns);
            var transformed = scratch.TakeWords((long)Points * tiles * words);
            var sums = scratch.Take((long)Points * tiles * columns);
            WinogradTiles.ByChannel<T, TVector>(WinogradTiles.Seen<T, TVector>(input, band, ends.Map, scratch), tiles, input.Channels, transformed);
            for (var point = 0; point < Points; point++)
            {
                for (var n = 0; n < columns; n += lanes)
                {
                    var panel = points + ((long)point * words * output.Channels) + ((long)(first + n) * words);
                    product.Run(transformed + ((long)point * tiles * words), panel, sums + ((long)point * tiles * columns) + n, tiles, words);
                }
            }

            Write(sums, ends.Slice(output, first), output.Slice(first, columns), band, scratch.Take(written), scratch.Take(columns), (float**)scratch.Take(8L * tiles));
        }
    }
}
