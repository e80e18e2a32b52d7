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
        var parts = TileWork.Parts(input.Bands, output.Channels / TilePanels.LanesFor(output.Channels));
        var work = new Bands(input, points, ends, output, parts);
        TileWork.Run(input.Bands * parts, work.Floats, work);
    }

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
        var step = WinogradTiles.PointStep((long)images.TilesRounded * images.Channels);
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

    /// <summary>Some channels of the output of a band in each piece; of these a panel at once, so that the sums of its 16 points stay in a second-level cache.</summary>
    private readonly struct Bands : ITileWork
    {
        private readonly WinogradImages _input;
        private readonly WinogradImages _output;
        private readonly uint* _points;
        private readonly ConvolutionEnds _ends;
        private readonly TileProduct _product;
        private readonly int _parts;
        private readonly int _columns;

        public Bands(WinogradImages input, uint* points, ConvolutionEnds ends, WinogradImages output, int parts)
        {
            (_input, _output, _ends, _parts, _columns) = (input, output, ends, parts, TilePanels.LanesFor(output.Channels));
            _points = points;
            _product = TileProduct.For<T, TVector>(new TileShape(TilePanels.Rows, _columns, Words, 1, TileStart.Zero));
        }

        /// <summary>The memory of a piece.</summary>
        public long Floats =>
            WinogradTiles.Floats(_input, _input.Channels) + TileScratch.Rounded(Points * TransformedStep) + TileScratch.Rounded(Points * SumStep) + TileScratch.Rounded(Written) + TileScratch.Rounded(_columns) + (8L * _input.TilesRounded);

        private int Words => _input.Channels / T.PerWord;

        private long TransformedStep => WinogradTiles.PointStep((long)_input.TilesRounded * Words);

        private long SumStep => WinogradTiles.PointStep((long)_input.TilesRounded * _columns);

        private long Written => 2L * _input.RowsOfBand * _input.Width * _columns;

        public void Do(int piece, TileScratch scratch)
        {
            var (band, all) = (piece / _parts, _output.Channels / _parts);
            var transformed = scratch.TakeWords(Points * TransformedStep);
            float* sums = scratch.Take(Points * SumStep), written = scratch.Take(Written), outside = scratch.Take(_columns);
            var places = (float**)scratch.Take(8L * _input.TilesRounded);
            WinogradTiles.ByChannel<T, TVector>(WinogradTiles.Seen<T, TVector>(_input, band, _ends.Map, scratch), _input.TilesRounded, _input.Channels, transformed);
            for (var first = piece % _parts * all; first < ((piece % _parts) + 1) * all; first += _columns)
            {
                for (var point = 0; point < Points; point++)
                {
                    var panel = _points + ((((long)first * Points) + ((long)point * _columns)) * Words);
                    _product.Run(transformed + (point * TransformedStep), panel, sums + (point * SumStep), _input.TilesRounded, Words);
                }

                Write(sums, _ends.Slice(_output, first), _output.Slice(first, _columns), band, written, outside, places);
            }
        }
    }
}
